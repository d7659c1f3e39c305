"""Mails to staff members about the numbers they get and lose (rule A5)."""

from collections.abc import Sequence
from datetime import datetime

from numbers import messages
from numbers.models import PhoneNumber
from portal import outbox
from staff.models import StaffMember, StaffSettings


def tell(template: str, pairs: Sequence[tuple[StaffMember, PhoneNumber]], *, at: datetime) -> None:
    """Write one mail to each of these people who has an address, naming their numbers (`area` loaded).

    Tenants that do not want these mails are left out.
    """
    tenants = {member.tenant_id for member, _number in pairs}
    quiet = StaffSettings.objects.filter(tenant__in=tenants, mails_on_assignment=False) if tenants else []
    silent = {row.tenant_id for row in quiet}
    theirs: dict[int, tuple[StaffMember, list[PhoneNumber]]] = {}
    for member, number in pairs:
        if member.email and member.tenant_id not in silent:
            theirs.setdefault(member.pk, (member, []))[1].append(number)
    mails = []
    for member, numbers in theirs.values():
        context = messages.context(member.name, numbers) | {"may_sign_in": member.user_id is not None}
        mails.append(outbox.Mail(member.email, member.language, template, context, member.tenant_id))
    outbox.later(mails, at=at)
