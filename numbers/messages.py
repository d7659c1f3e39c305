"""Mails about numbers: the confirmation to whoever acted, the notice to the administrators of what took effect."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from numbers import notation
from numbers.models import PhoneNumber
from portal import berlin, outbox
from portal.models import Membership, Role, User

SHOWN = 20  # a mail names so many numbers and counts the rest


def display(number: PhoneNumber) -> str:
    """Return the number as DIN 5008 writes it (its `area` must be loaded)."""
    return notation.national(
        number.e164, number.area.area_code, base_number=number.base_number, extension=number.extension_digits
    )


def confirm(template: str, numbers: Sequence[PhoneNumber], *, by: User, at: datetime, **extra: Any) -> None:
    """Write one confirmation to the person who acted, naming the numbers; days and money travel as text."""
    outbox.later([_mail(template, by, numbers, extra)], at=at, with_click=True)


def notice(template: str, numbers: Sequence[PhoneNumber], *, people: Iterable[User], **extra: Any) -> list[outbox.Mail]:
    """Return the same notice to each of these people, naming the numbers; `outbox.later` takes many at once."""
    return [_mail(template, person, numbers, extra) for person in people]


def administrators(tenant_ids: Iterable[int]) -> dict[int, list[User]]:
    """Return the administrators of each of these tenants who may sign in."""
    found: dict[int, list[User]] = {}
    rows = Membership.objects.filter(tenant__in=list(tenant_ids), role=Role.ADMINISTRATOR, user__is_active=True)
    for membership in rows.select_related("user"):
        found.setdefault(membership.tenant_id, []).append(membership.user)
    return found


def context(name: str, numbers: Sequence[PhoneNumber]) -> dict[str, Any]:
    """Return what `mail/numbers/notice` shows: whom it greets, and the numbers."""
    return {
        "name": name,
        "numbers": [{"number": display(n), "label": n.label} for n in numbers[:SHOWN]],
        "count": len(numbers),
        "more": max(0, len(numbers) - SHOWN),
    }


def _mail(template: str, person: User, numbers: Sequence[PhoneNumber], extra: dict[str, Any]) -> outbox.Mail:
    said = context(person.name, numbers)
    for name, value in extra.items():
        said[name] = value.isoformat() if isinstance(value, date) else str(value)
    if isinstance(last_active_on := extra.get("last_active_on"), date):
        said["inactive_from"] = berlin.inactive_from(last_active_on).date().isoformat()
    return outbox.Mail(person.email, person.language, template, said, numbers[0].tenant_id)
