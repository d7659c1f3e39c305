"""Fax access as it hangs on a number: ended by a deactivation or a swap, and named before (rules L5, L6, S3, F2)."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from fax import revoking
from numbers.attachments import Hanging, Snapshots
from numbers.models import PhoneNumber
from portal.models import User


class _Credentials:
    name = "fax"
    models: tuple[str, ...] = ("fax.FaxCredential",)
    ends_with_deactivation = True

    def describe(self, numbers: Sequence[PhoneNumber]) -> list[Hanging]:
        return [
            Hanging(c.number_id, _("fax access of %(name)s") % {"name": c.staff_member.name}, revoking.named(c))
            for c in revoking.standing(numbers)
        ]

    def detach(self, numbers: Sequence[PhoneNumber], *, by: User | str, at: datetime) -> Snapshots:
        ended: Snapshots = {}
        found = revoking.standing(numbers)
        for credential in found:
            ended.setdefault(credential.number_id, []).append(revoking.named(credential))
        revoking.end(found, at=at)
        return ended


ATTACHMENT = _Credentials()
