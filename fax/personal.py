"""What is known about a person's fax access: for their export and for their erasure (rule T6)."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from fax import jobs
from fax.models import FaxCredential, FaxJob, FaxMail
from numbers.personal import Decided, Row
from portal.models import User
from staff.models import LockedMember, StaffMember


class _Credentials:
    name, title = "fax_access", _("Fax access")
    models: tuple[str, ...] = ("fax.FaxCredential",)
    columns: tuple[str, ...] = ("number", "username", "created_at", "shown_at", "last_used_at", "revoked_at")

    def rows(self, member: StaffMember, *, own: bool, at: datetime) -> list[Row]:
        found = FaxCredential.objects.filter(staff_member=member).select_related("number").order_by("pk")
        return [
            {name: getattr(row, name) for name in self.columns}
            | {"number": row.number.e164, "revoked_at": row.ended_at(at)}
            for row in found
        ]

    def erase(self, member: LockedMember, *, notice: str, by: User, at: datetime) -> list[Decided]:
        own = FaxCredential.objects.filter(staff_member=member)
        FaxMail.objects.filter(credential__in=own).delete()
        count, _models = own.delete()
        return [Decided(True, "not_needed", count)]


class _Faxes:
    """What the person printed. Its title is their own business, and where it went is as private as a call."""

    name, title = "faxes", _("Faxes")
    models: tuple[str, ...] = ("fax.FaxJob",)
    columns: tuple[str, ...] = ("number", "title", "destination", "pages", "received_at", "state", "reason", "ended_at")

    def rows(self, member: StaffMember, *, own: bool, at: datetime) -> list[Row]:
        found = FaxJob.objects.visible().filter(staff_member=member).select_related("number").order_by("pk")
        hidden = {} if own else {"title": "", "destination": ""}
        return [
            {name: getattr(row, name) for name in self.columns} | {"number": row.number.e164} | hidden for row in found
        ]

    def erase(self, member: LockedMember, *, notice: str, by: User, at: datetime) -> list[Decided]:
        found = FaxJob.objects.locked(FaxJob.objects.filter(staff_member=member).values_list("pk", flat=True))
        jobs.remove(found)
        return [Decided(True, "not_needed", len(found))]


KINDS = (_Credentials(), _Faxes())
