"""Calls for tests: lines as a switch delivers them, people who hold numbers, months to put them in."""

import itertools
from datetime import UTC, datetime, timedelta

from django.db import transaction

from numbers import call_months, intake
from numbers.models import Assignment
from portal import berlin
from portal.tenancy import every_tenant
from staff.models import StaffMember
from tests.conftest import NOW, _as_operator

_count = itertools.count(1)


def make_months(*months):
    """Make partitions for these months (default: the last eight before NOW and the next)."""
    wanted = months or [berlin.next_month(call_months.of(NOW), count) for count in range(-8, 2)]
    with transaction.atomic(), _as_operator():
        call_months.ensure(wanted)


def person(name="Paula Peters", **fields):
    return StaffMember.objects.create(name=name, sort_key=name.lower(), created_at=NOW, **fields)


def assign(number, member, from_at, until_at=None, **fields):
    return Assignment.objects.create(
        number=number, staff_member=member, from_at=from_at, until_at=until_at, settled_at=from_at, **fields
    )


def line(number, at, **fields):
    """Return a call as a file holds it."""
    place = next(_count)
    return {
        "id": f"call-{place}",
        "number": getattr(number, "e164", number),
        "direction": "out",
        "peer": f"+4922147{10000 + place % 1000}",
        "started_at": at.isoformat(),
        "ring": 5,
        "talk": 60,
        "result": "answered",
        "cost_micro": 20_000,
    } | fields


def take(*lines, at=NOW, source="switch"):
    """Take lines in as the operator's worker does; return the counts."""
    with transaction.atomic(), _as_operator(), every_tenant():
        return intake.take(lines, source=source, at=at)


def days_ago(days, *, hour=12):
    return (NOW - timedelta(days=days)).replace(hour=hour, minute=0, tzinfo=UTC)


def on(text):
    return datetime.fromisoformat(text)
