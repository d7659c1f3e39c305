"""Two tenants full of unmistakable things, and a fingerprint of everything that belongs to each.

Globex's rows carry the canaries: strings and ids that occur nowhere else. Acme's are as unmistakable, for Carl's eyes.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from billing import charges, slots
from billing.models import OneOffCharge
from fax.models import FaxAttempt, FaxCredential, FaxJob, FaxMail, FaxSettings
from numbers import call_months, labels, pool
from numbers.models import (
    Address,
    Assignment,
    BulkItem,
    BulkRun,
    Forwarding,
    LocalArea,
    NumberBlock,
    NumberOrder,
    PhoneNumber,
    PinLetter,
    PortProvider,
)
from portal import audit, documents, outbox, tenancy
from portal.models import Submission
from staff.models import Invitation, StaffMember, StaffSettings
from tests import make
from tests.isolation import calls, ports, walls

NUMBERS = ("active", "spare", "scheduled", "overdue", "inactive", "free", "fax")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Side:
    """One tenant with its people, its rows by name, and what gives it away when somebody else sees it."""

    tenant: Any
    administrator: Any
    canaries: tuple[str, ...]
    ids: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    acme: Side
    globex: Side
    people: SimpleNamespace


def build(cast: SimpleNamespace) -> World:
    """Fill both tenants of the cast; every tenant's table gets at least one row of each."""
    with transaction.atomic(), everything():
        call_months.ensure([call_months.of(NOW)])
    with transaction.atomic(), everything():
        make.pool("069 9000995", size=10)
        PortProvider.objects.create(code="D901", name="Beispiel Telefon GmbH", sort_key="beispiel telefon gmbh")
    acme = _side(cast.acme, cast.alice, "parrot", "+493023125", 7_100_000_000, ("Acme", "alice@acme", "Alice Adler"))
    globex = _side(cast.globex, cast.carl, "canary", "+496990009", 9_400_000_000, ("Globex", "carl@globex", "Conrad"))
    return World(acme, globex, cast)


def _side(tenant: Any, who: Any, bird: str, prefix: str, first_id: int, names: tuple[str, ...]) -> Side:
    with tenancy.tenant_transaction(tenant.pk, user_id=who.pk):
        ids = _numbers(bird, prefix, first_id)
        ids |= _around_the_numbers(tenant, who, bird, prefix, first_id)
        ids |= _addresses(who, bird, first_id)
        fax, spare = PhoneNumber.objects.get(pk=ids["fax"]), PhoneNumber.objects.get(pk=ids["spare"])
        ids |= ports.fill(fax, spare, who, bird=bird, prefix=prefix, first_id=first_id, at=NOW)
    digits = str(first_id)[:4]
    return Side(tenant, who, (*names, tenant.customer_number, bird, f"{prefix[3:]}7", f"{digits}00000"), ids)


def _numbers(bird: str, prefix: str, first_id: int) -> dict[str, int]:
    area = "30" if prefix.startswith("+4930") else "69"
    states: dict[str, dict[str, Any]] = {
        "active": {"state": "active"},
        "spare": {"state": "active"},
        "scheduled": {"state": "deactivation_scheduled", "last_active_on": date(2026, 12, 31)},
        "overdue": {"state": "deactivation_scheduled", "last_active_on": date(2026, 10, 31)},
        "inactive": {"state": "inactive"},
        "free": {"state": "inactive"},
        "fax": {"state": "active", "usage": "fax_shared"},
    }
    ids = {}
    for place, (name, fields) in enumerate(states.items()):
        number = make.number(
            f"{prefix}{700 + place}",
            id=first_id + place,
            area_code=area,
            label=f"{bird} label {name}",
            note=f"{bird} note {name}",
            base_number=prefix,
            extension_digits=f"{700 + place}",
            **fields,
        )
        labels.index([number])
        ids[name] = number.pk
    return ids


def _around_the_numbers(tenant: Any, who: Any, bird: str, prefix: str, first_id: int) -> dict[str, int]:
    active = PhoneNumber.objects.get(pk=first_id)
    for when, seconds in (("always", None), ("no_answer", 20)):
        Forwarding.objects.create(
            number=active, when=when, after_seconds=seconds, destination=f"sip:{bird}@phone.example", changed_at=NOW
        )
    member = StaffMember.objects.create(
        id=first_id + 80,
        name=f"{bird} Person",
        sort_key=f"{bird} person",
        email=f"{bird}@staff.example",
        department=f"{bird} department",
        created_at=NOW,
    )
    Invitation.objects.create(
        id=first_id + 82,
        member=member,
        email=f"{bird}@staff.example",
        role="staff",
        token_hash=f"{bird}{first_id}",
        by=who,
        created_at=NOW,
        expires_at=NOW,
        revoked_at=NOW,
    )
    StaffSettings.objects.create(id=first_id + 83, changed_at=NOW)
    heir = make.member(f"{bird} Heir", id=first_id + 84, email=f"{bird}.heir@staff.example")
    make.member(f"{bird} Boss", id=first_id + 88, user=who)
    gone = make.member(f"{bird} Gone", id=first_id + 87, email=f"{bird}.gone@staff.example", state="left", left_at=NOW)
    holder = make.member(f"{bird} Holder", id=first_id + 86, email=f"{bird}.holder@staff.example")
    # shared, or a copy of the row would overlap with it before anything else is asked
    held: dict[str, Any] = {"number_id": first_id + 6, "shared": True}
    Assignment.objects.create(id=first_id + 81, staff_member=holder, from_at=NOW, settled_at=NOW, **held)
    Assignment.objects.create(id=first_id + 85, staff_member=heir, from_at=datetime(2099, 1, 1, tzinfo=UTC), **held)
    credential = _fax(member, who, bird, first_id)
    calls.fill(active, member, who, bird=bird, prefix=prefix, first_id=first_id, at=NOW)
    slots.move(f"{prefix}701", to=f"{prefix}799", on=date(2026, 11, 1))
    slots.move(f"{prefix}799", to=f"{prefix}701", on=date(2026, 11, 2))
    block = NumberBlock.objects.create(
        id=first_id + 82, base_number=prefix, extension_digits=3, area=active.area, created_at=NOW
    )
    charges.charge(
        [charges.Item(OneOffCharge.Kind.ORDER, f"{bird} area", 2, Decimal("9.80"), Decimal("19.0"))],
        tenant_id=tenant.pk,
        on=NOW.date(),
    )
    order = NumberOrder.objects.create(
        id=first_id + 83,
        area=active.area,
        kind="single",
        numbers=[f"{prefix}790"],
        fee=Decimal("4.90"),
        fees=[],
        state="placed",
        by=who,
        placed_at=NOW,
        proof=documents.keep(b"\xff\xd8\xff" + bird.encode() + b"\xff\xd9"),
        reservation=UUID(int=first_id),
    )
    basket = UUID(int=first_id + 1)
    pool.reserve_next(LocalArea.objects.get(area_code="69").pk, count=1, basket=basket, at=timezone.now())
    run = BulkRun.objects.create(
        id=first_id + 50,
        verb="activate",
        by=who,
        parameters={"seen": bird},
        total=2,
        handled=2,
        created_at=NOW,
        finished_at=NOW,
    )
    for position, (outcome, reason) in enumerate((("done", ""), ("unchanged", "already_active"))):
        BulkItem.objects.create(
            id=first_id + 60 + position, run=run, number_id=first_id + position, outcome=outcome, reason=reason
        )
    Submission.objects.create(
        id=first_id + 70, user=who, verb="number.activate", key=UUID(int=first_id), outcome={"bird": bird}, at=NOW
    )
    entry = audit.Entry(
        "number", active.pk, f"{prefix}700", {"label": f"{bird} before"}, {"label": f"{bird} after"}, tenant.pk
    )
    audit.record("number.changed", [entry], by=who, at=NOW)
    mail = outbox.Mail(who.email, "de", "numbers/activated", {"name": bird, "numbers": []}, tenant.pk)
    outbox.later([mail], at=NOW)
    ids = {"fax_job": first_id + 83, "run": run.pk, "member": member.pk, "holder": holder.pk, "gone": gone.pk}
    return ids | {"credential": credential, "block": block.pk, "order": order.pk, "basket": basket}


def _fax(member: Any, who: Any, bird: str, first_id: int) -> int:
    """Give somebody access to the shared fax, by a link that is still open."""
    credential = FaxCredential.objects.create(
        id=first_id + 82,
        number_id=first_id + 6,
        staff_member=member,
        username=f"fax-{bird}",
        secret_hash=f"{bird} hash",
        created_at=NOW,
        shown_at=NOW,
    )
    FaxMail.objects.create(
        id=first_id + 82,
        credential=credential,
        key=UUID(int=first_id + 2),
        recipient=f"{bird}@staff.example",
        token_hash=f"{bird}{first_id}",
        by=who,
        created_at=NOW,
        expires_at=datetime(2099, 1, 1, tzinfo=UTC),
    )
    FaxSettings.objects.create(id=first_id + 82, changed_at=NOW)
    job = FaxJob.objects.create(
        id=first_id + 83,
        number_id=first_id + 6,
        staff_member=member,
        title=f"{bird} title",
        state="waiting",
        received_at=NOW,
        preview=documents.put(io.BytesIO(bird.encode()), "png"),
    )
    FaxAttempt.objects.create(id=first_id + 84, job=job, began_at=NOW, ended_at=NOW, detail=f"{bird} detail")
    return int(credential.pk)


def _addresses(who: Any, bird: str, first_id: int) -> dict[str, int]:
    areas = {area.area_code: area for area in LocalArea.objects.filter(area_code__in=["30", "40", "69", "89", "221"])}
    states: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("address", "30", {"state": "unverified"}),
        ("address_sent", "40", {"state": "letter_sent", "entry_until": timezone.localdate() + timedelta(days=20)}),
        ("address_requested", "89", {"state": "letter_requested"}),
        ("address_verified", "69", {"state": "verified", "verified_at": NOW}),
    )
    ids = {}
    for place, (name, code, fields) in enumerate(states):
        address = Address.objects.create(
            id=first_id + 90 + place,
            company=f"{bird} company",
            street=f"{bird} street",
            house_number="7",
            postcode="10115",
            town=f"{bird} town",
            area=areas[code],
            created_at=NOW,
            **fields,
        )
        ids[name] = address.pk
        letter = {"state": "posted", "posted_on": timezone.localdate() - timedelta(days=10), "closed_at": NOW}
        if name in ("address_sent", "address_requested"):
            letter["closed_at"] = None
        if name == "address_requested":
            letter |= {"state": "queued", "posted_on": None}
        PinLetter.objects.create(
            id=first_id + 95 + place,
            address=address,
            lines=[f"{bird} company", f"{bird} street 7", f"10115 {bird} town"],
            requested_by=who,
            requested_at=NOW,
            **letter,
        )
    return ids


def seen(side: Side, text: str) -> list[str]:
    """Return which of a tenant's canaries occur in a text, whatever way its numbers are written."""
    lower = text.lower()
    together = re.sub(r"(?<=\d)(?:[\s\u00a0\u2010-\u2015\u202f/().-]|&nbsp;)+(?=\d)", "", lower)
    return [canary for canary in side.canaries if canary.lower() in lower or canary.lower() in together]


# What a look at a page may change: the session's own clock, the limits' counters, allauth's note of a person's address.
RESTLESS = frozenset({"django_session", "portal_cache", "usersessions_usersession", "account_emailaddress"})


@contextmanager
def everything() -> Iterator[None]:
    """See every row within the block, whatever the walls: as the operator's role (a policy lets it)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        before = cursor.fetchone()[0]
        cursor.execute("SET LOCAL ROLE portal_ops")
        try:
            yield
        finally:
            if not connection.needs_rollback:
                cursor.execute(f"SET LOCAL ROLE {before}")


def fingerprints(*, of: int | None = None, shape: bool = False) -> dict[str, str]:
    """Return a digest per table of all rows (or of one tenant's); equal before and after means: nothing changed.

    With `shape` it leaves out what differs between two equal runs: ids, times, keys.
    """
    passing = r"(run\"*: |order\"*: |/bulk/)\d+|/invitation/[\w-]+"
    said = rf"regexp_replace(ROW(%s)::text, '{passing}', '\1', 'g')" if shape else "ROW(%s)::text"
    parts = []
    for table, columns in _columns(shape=shape).items():
        key = {"portal_tenant": "id"}.get(table, "tenant_id")
        if of is None or table in _tenants():
            where = f"WHERE {key} = {int(of)}" if of else ""
            parts.append(
                f"SELECT '{table}', md5(coalesce(string_agg(row, '|' ORDER BY row), ''))"
                f" FROM (SELECT {said % ', '.join(columns)} AS row FROM {table} {where}) AS rows"
            )
    with everything():
        return dict(walls.rows(" UNION ALL ".join(parts)))


@cache
def _tenants() -> frozenset[str]:
    return frozenset(walls.tenant_tables())


@cache
def _columns(*, shape: bool) -> dict[str, list[str]]:
    passing = ("timestamp with time zone", "uuid")
    found: dict[str, list[str]] = {table: [] for table in walls.tables() - RESTLESS}
    for table, name, kind in walls.rows(
        "SELECT relname, attname, atttypid::regtype::text FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE relname = ANY(%s) AND attnum > 0 AND NOT attisdropped ORDER BY relname, attnum",
        [list(found)],
    ):
        new = table == "numbers_numbersearch" and name == "number_id"  # the text beside it says which number it is
        passes = name in ("id", "request_id", "run_id", "order_id", "slot_id", "token_hash", "object_id")
        if not shape or (kind not in passing and not passes and not new):
            found[table].append(f'"{name}"')
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return the tables whose digests differ."""
    return sorted(table for table in before.keys() | after.keys() if before.get(table) != after.get(table))
