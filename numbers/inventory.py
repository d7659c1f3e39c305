"""How numbers come into a tenant's inventory: inactive and free (rule L3), each held by one tenant at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from billing.models import PriceClass
from numbers import blocks, labels, pool
from numbers.models import NumberState, PhoneNumber, Usage
from portal import audit
from portal.models import User


@dataclass(frozen=True, slots=True)
class NewNumber:
    """A number to be added. `base_number` (E.164) and `extension` are its split if it belongs to a block."""

    e164: str
    area_id: int
    base_number: str = ""
    extension: str = ""
    label: str = ""
    note: str = ""
    usage: str = Usage.VOICE
    price_class: str = PriceClass.STANDARD
    state: str = NumberState.INACTIVE


def add(entries: Sequence[NewNumber], *, tenant_id: int, by: User | str, at: datetime) -> list[PhoneNumber]:
    """Add these numbers to the announced tenant, and return those that were added.

    A number that anybody holds already is left out, however close the race: the database decides. Numbers that come by
    porting arrive with the state PORT_IN_PENDING, all others inactive.
    """
    take_turns(tenant_id)  # the same list taken twice at a time must not leave two traces
    before = set(PhoneNumber.objects.held().filter(e164__in=[e.e164 for e in entries]).values_list("e164", flat=True))
    # In one order for everybody: two tenants' lists that share numbers then never wait for one another in a ring.
    wanted = sorted((entry for entry in entries if entry.e164 not in before), key=lambda entry: entry.e164)
    PhoneNumber.objects.bulk_create(
        [_row(entry, tenant_id=tenant_id, at=at) for entry in wanted], batch_size=2_000, ignore_conflicts=True
    )
    rows = PhoneNumber.objects.held().filter(e164__in=[entry.e164 for entry in wanted])
    added = list(rows.select_related("area").order_by("pk"))
    labels.index(added)
    blocks.note(added, at=at)
    pool.note_given([number.e164 for number in added])
    trace = [audit.Entry("number", n.pk, n.e164, {}, _snapshot(n)) for n in added]
    audit.record("number.added", trace, by=by, at=at, tenant_id=tenant_id)
    return added


def take_turns(tenant_id: int) -> None:
    """Let what adds to this tenant's inventory happen one after the other, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [7002, tenant_id % 2**31])


def _row(entry: NewNumber, *, tenant_id: int, at: datetime) -> PhoneNumber:
    return PhoneNumber(
        tenant_id=tenant_id,
        e164=entry.e164,
        base_number=entry.base_number or entry.e164,
        extension_digits=entry.extension,
        area_id=entry.area_id,
        state=entry.state,
        usage=entry.usage,
        label=entry.label,
        note=entry.note,
        price_class=entry.price_class,
        allocated_at=at,
    )


def _snapshot(number: PhoneNumber) -> dict[str, str]:
    kept = {"state": number.state, "usage": number.usage, "label": number.label, "price_class": number.price_class}
    return {name: value for name, value in kept.items() if value}
