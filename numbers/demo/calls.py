"""Three months of Acme's calls, taken in as a switch delivers them, with an order, a dispute and the daily proof."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from numbers import call_months, disputes, intake, itemisation, retention
from numbers.demo.story import Story
from numbers.models import NumberState, PhoneNumber
from portal import berlin
from portal.models import Tenant, User
from staff import settings as staff_settings

DAYS, BUSY = 80, 12  # how far back, and how many numbers are called and call
OTHERS = ("+498999998", "+492214710", "+494066969", "+496990009")


def declare(told: Story, people: Mapping[str, User]) -> None:
    """Let Acme order the itemised bill, show their calls to its staff, and object to last month's calls of a number."""
    alice, olga = people["alice@acme.example"], people["olga@operator.example"]

    def order(at: datetime) -> None:
        itemisation.order(masked=True, declaration=itemisation.DECLARATION, by=alice, at=at)
        # So that Bob has some to look at and something to do.
        staff_settings.change({"sees_own_calls": True, "edits_forwarding": True}, by=alice, at=at)

    def object_to(at: datetime) -> None:
        number = next(number for number in _busy(told.tenant, told.now) if number.state == NumberState.ACTIVE)
        month = berlin.next_month(call_months.of(told.now), -1)
        reason = "Verbindungen am Wochenende bestritten"
        disputes.open_(tenant_id=told.tenant.pk, number=number, month=month, reason=reason, by=olga, at=at)

    told.on(told.months - 3, 22, "10:00", order)
    told.lately(48, object_to)


def tell(tenant: Tenant, *, now: datetime) -> None:
    """Fill the last months with calls; needs the operator's role and `tenancy.every_tenant()`."""
    last, before = (berlin.next_month(call_months.of(now), -count) for count in (1, 2))
    call_months.ensure([*call_months.ahead(now), last, before, berlin.next_month(before, -1)])
    intake.take(list(_lines(_busy(tenant, now), now)), source="demo", at=now)
    retention.prove(at=now)


def _busy(tenant: Tenant, now: datetime) -> list[PhoneNumber]:
    berlin_numbers = PhoneNumber.objects.filter(tenant=tenant, area__area_code="30")
    return list(berlin_numbers.active(now).order_by("e164")[:BUSY])  # two of Bob's among them


def _lines(numbers: list[PhoneNumber], now: datetime) -> Iterator[dict[str, Any]]:
    chance = random.Random(7)  # noqa: S311 -- a story, the same every time
    for days in range(DAYS, 0, -1):
        day = berlin.begin(berlin.day(now) - timedelta(days=days))
        for place, number in enumerate(numbers):
            for call in range(chance.randrange(0, 2 if day.weekday() > 4 else 5)):
                talk = chance.choice((0, 0, 35, 80, 150, 240, 600, 1_500))
                outgoing = chance.random() < 0.6
                yield {
                    "id": f"{days}-{place}-{call}",
                    "number": number.e164,
                    "direction": "out" if outgoing else "in",
                    "peer": "" if chance.random() < 0.05 else f"{chance.choice(OTHERS)}{chance.randrange(1000):03}",
                    "started_at": (day + timedelta(seconds=chance.randrange(7 * 3600, 19 * 3600))).isoformat(),
                    "ring": chance.randrange(2, 25),
                    "talk": talk,
                    "cost_micro": (talk + 59) // 60 * 15_000 if outgoing else 0,
                    "reverse_charged": not outgoing and place == 0,
                }
