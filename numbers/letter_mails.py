"""Mails about addresses and their letters. None of them holds a PIN, or a link that opens anything."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from numbers import messages
from numbers.models import Address
from portal import outbox
from portal.models import User


def tell(template: str, address: Address, people: Iterable[User], *, at: datetime, **extra: Any) -> None:
    """Write these people what happened to an address (its `area` must be loaded)."""
    said = {"address": str(address), "area": str(address.area), "pk": address.pk} | extra
    if address.entry_until:
        said["until"] = address.entry_until.isoformat()
    outbox.later(
        [
            outbox.Mail(one.email, one.language, template, {"name": one.name} | said, address.tenant_id)
            for one in people
        ],
        at=at,
    )


def tell_administrators(template: str, address: Address, *, at: datetime, **extra: Any) -> None:
    """Write the administrators of the address's tenant what happened to it."""
    people = messages.administrators([address.tenant_id])
    tell(template, address, people.get(address.tenant_id, []), at=at, **extra)
