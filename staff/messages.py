"""Mails to the tenant's people about their access."""

from datetime import datetime
from typing import Any

from portal import outbox
from portal.models import Tenant, User
from portal.tenancy import current
from staff.models import StaffMember


def tell(template: str, member: StaffMember, *, at: datetime, **context: Any) -> None:
    """Write a mail to a person of the announced tenant, if they have an address; the context travels as text."""
    if member.address:
        outbox.later([_mail(template, member.address, member.mail_language, member.name, context)], at=at)


def answer(template: str, to: User, *, at: datetime, **context: Any) -> None:
    """Write a mail to somebody who acted on the announced tenant's people and is told what came of it."""
    outbox.later([_mail(template, to.email, to.language, to.name, context)], at=at)


def _mail(template: str, recipient: str, language: str, name: str, context: dict[str, Any]) -> outbox.Mail:
    tenant_id = current()
    shown = {"name": name, "tenant": Tenant.objects.values_list("name", flat=True).get(pk=tenant_id)}
    return outbox.Mail(recipient, language, f"staff/{template}", shown | context, tenant_id)
