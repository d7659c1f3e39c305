"""Mails about what a tenant decided on its calls: every administrator is told, whoever decided."""

from datetime import datetime
from typing import Any

from numbers import messages
from portal import outbox, tenancy
from portal.models import User


def tell(template: str, *, by: User, at: datetime, **facts: Any) -> None:
    """Write a mail to each administrator of the announced tenant, naming who decided; facts travel as JSON."""
    tenant_id = tenancy.current()
    mails = [
        outbox.Mail(
            person.email, person.language, template, {"name": person.name, "by": by.name or by.email} | facts, tenant_id
        )
        for person in messages.administrators([tenant_id]).get(tenant_id, [])
    ]
    outbox.later(mails, at=at)
