"""Three months of Acme's calls, taken in as a switch delivers them, with an order, a dispute and the daily proof."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from numbers import call_months, disputes, intake, itemisation, retention
from numbers.models import NumberState, PhoneNumber
from portal import berlin
from portal.models import Tenant, User
from portal.tenancy import tenant_transaction
from staff import settings as staff_settings

DAYS, BUSY = 80, 12  # how far back, and how many numbers are called and call
OTHERS = ("+498999998", "+492214710", "+494066969", "+496990009")


def tell(tenant: Tenant, people: Mapping[str, User], *, now: datetime) -> None:
    """Fill the last months with calls; needs the operator's role and `tenancy.every_tenant()`."""
    alice, olga = people["alice@acme.example"], people["olga@operator.example"]
    last, before = (berlin.next_month(call_months.of(now), -count) for count in (1, 2))
    with tenant_transaction(tenant.pk, user_id=alice.pk):
        at = berlin.begin(before) - timedelta(days=9, hours=-10)
        itemisation.order(masked=True, declaration=itemisation.DECLARATION, by=alice, at=at)
        # So that Bob has some to look at and something to do.
        staff_settings.change({"sees_own_calls": True, "edits_forwarding": True}, by=alice, at=at)
    call_months.ensure([*call_months.ahead(now), last, before, berlin.next_month(before, -1)])
    berlin_numbers = PhoneNumber.objects.filter(tenant=tenant, area__area_code="30")
    numbers = list(berlin_numbers.active(now).order_by("e164")[:BUSY])  # two of Bob's among them
    intake.take(list(_lines(numbers, now)), source="demo", at=now)
    disputed = next(number for number in numbers if number.state == NumberState.ACTIVE)
    reason = "Verbindungen am Wochenende bestritten"
    disputes.open_(tenant_id=tenant.pk, number=disputed, month=last, reason=reason, by=olga, at=now - timedelta(days=2))
    retention.prove(at=now)


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
