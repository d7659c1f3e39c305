"""What a bulk action would do to a choice of numbers, shown before it is confirmed (rules L1, L6, G3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Q, Value, When
from django.db.models.expressions import RawSQL
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing import prices
from billing.prices import Quote
from numbers import attachments, holders, messages
from numbers.models import BulkRun, NumberState, PhoneNumber, Usage
from numbers.overview import SHOWN
from portal import berlin

NAMED = 24  # numbers the page names; it counts the others
STOPS_NAMED = 8
STOPS_LOOKED_AT = 1_000

HOLDERS_NAMED = 8

ACTIVATE, DEACTIVATE, WITHDRAW = BulkRun.Verb.ACTIVATE, BulkRun.Verb.DEACTIVATE, BulkRun.Verb.WITHDRAW
ASSIGN = BulkRun.Verb.ASSIGN

# What becomes of a number, by verb and state, and whether it changes. What is not here cannot be changed.
EFFECTS: Mapping[tuple[str, str], tuple[bool, Promise]] = {
    (ACTIVATE, NumberState.INACTIVE): (True, _("become active, at a charge")),
    (ACTIVATE, NumberState.DEACTIVATION_SCHEDULED): (True, _("stay active: their deactivation is withdrawn, free")),
    (ACTIVATE, NumberState.ACTIVE): (False, _("stay as they are: already active")),
    (DEACTIVATE, NumberState.ACTIVE): (True, _("are scheduled for deactivation")),
    (DEACTIVATE, NumberState.DEACTIVATION_SCHEDULED): (
        False,
        _("stay as they are: already scheduled, first date stays"),
    ),
    (DEACTIVATE, NumberState.INACTIVE): (False, _("cannot be deactivated: not active")),
    (WITHDRAW, NumberState.DEACTIVATION_SCHEDULED): (True, _("stay active: their deactivation is withdrawn, free")),
    (WITHDRAW, NumberState.ACTIVE): (False, _("stay as they are: no deactivation is scheduled")),
    (WITHDRAW, NumberState.INACTIVE): (False, _("stay inactive: no deactivation is scheduled")),
}
# What becomes of a working number that is assigned, by whether it is a shared fax and whether somebody has it.
ASSIGNED: Mapping[tuple[bool, bool], Promise] = {
    (False, False): _("are assigned; nobody has them at present"),
    (False, True): _("change hands; their forwardings are removed"),
    (True, False): _("are assigned; nobody has them at present"),
    (True, True): _("are shared faxes and get one more holder"),
}
NOT_ASSIGNABLE = (False, _("cannot be assigned: not active"))
PORTING = (False, _("cannot be changed: they are being ported"))


@dataclass(frozen=True, slots=True)
class Effect:
    """So many of the chosen numbers to which the same would happen."""

    count: int
    changes: bool
    text: Promise


@dataclass(frozen=True, slots=True)
class Preview:
    """What a verb would do to all of a choice now.

    `charged` are quotes with how many numbers each is charged for. `stops` are sentences about what stops working,
    of `stops_count` (of the first 1,000 numbers); `numbers` are the first ones, as `overview.SHOWN` values; `held_by`
    says who has how many of them (the first eight people), if they are to be assigned.
    """

    verb: str
    total: int
    effects: Sequence[Effect]
    charged: Sequence[tuple[Quote, int]]
    last_active_on: date | None
    stops: Sequence[str]
    stops_count: int
    is_last: bool
    numbers: Sequence[dict[str, Any]]
    held_by: Sequence[tuple[str, int]] = ()

    @property
    def changing(self) -> int:
        return sum(effect.count for effect in self.effects if effect.changes)

    @property
    def inactive_from(self) -> date | None:
        return berlin.inactive_from(self.last_active_on).date() if self.last_active_on else None

    def agrees(self, *, changing: int, prices_seen: Mapping[str, Decimal], date_seen: date | None) -> bool:
        """Return whether somebody who saw these figures agreed to exactly this (rules L1 and C4)."""
        same_prices = all(prices_seen.get(quote.price_class) == quote.monthly for quote, _count in self.charged)
        return changing == self.changing and same_prices and date_seen == self.last_active_on


def preview(verb: str, chosen: Any, *, at: datetime) -> Preview:
    """Return what this verb would do to these numbers (a queryset), with a number of statements that never grows."""
    groups = _groups(chosen, at)
    effects = _assigned(chosen, at) if verb == ASSIGN else _effects(verb, groups)
    charged = {name: n for (state, name), n in groups.items() if (verb, state) == (ACTIVATE, NumberState.INACTIVE)}
    quotes = prices.quotes(set(charged), on=berlin.day(at)) if charged else {}
    stops, stops_count = _stops(chosen, at) if verb == DEACTIVATE else ([], 0)
    return Preview(
        verb=verb,
        total=sum(groups.values()),
        effects=[
            Effect(count, *effect) for effect, count in sorted(effects.items(), key=lambda e: (not e[0][0], -e[1]))
        ],
        charged=[(quote, charged[name]) for name, quote in quotes.items()],
        last_active_on=berlin.end_of_following_month(at) if verb == DEACTIVATE else None,
        stops=stops,
        stops_count=stops_count,
        is_last=verb == DEACTIVATE and _leaves_none(groups, at),
        numbers=list(chosen.order_by("e164").values(*SHOWN)[:NAMED]),
        held_by=_held_by(chosen, at) if verb == ASSIGN else (),
    )


def _effects(verb: str, groups: Mapping[tuple[str, str], int]) -> dict[tuple[bool, Promise], int]:
    effects: dict[tuple[bool, Promise], int] = {}
    for (state, _class), count in groups.items():
        effect = EFFECTS.get((verb, state), PORTING)
        effects[effect] = effects.get(effect, 0) + count
    return effects


def _assigned(chosen: Any, at: datetime) -> dict[tuple[bool, Promise], int]:
    """Count what would become of numbers that are assigned, whoever gets them."""
    held = Exists(holders.present(at).filter(number=OuterRef("pk")))
    rows = chosen.order_by().annotate(present=_present(at), held=held)
    effects: dict[tuple[bool, Promise], int] = {}
    for state, usage, is_held, count in rows.values_list("present", "usage", "held").annotate(Count("pk")):
        effect = (True, ASSIGNED[usage == Usage.FAX_SHARED, is_held])
        if state in (NumberState.INACTIVE, NumberState.PORT_IN_PENDING):
            effect = NOT_ASSIGNABLE if state == NumberState.INACTIVE else PORTING
        effects[effect] = effects.get(effect, 0) + count
    return effects


def _held_by(chosen: Any, at: datetime) -> list[tuple[str, int]]:
    sql, given = chosen.order_by().values("pk").query.sql_with_params()  # as it stands: its conditions name their table
    rows = holders.present(at).filter(number__in=RawSQL(sql, given))  # noqa: S611 -- the ORM's own statement
    counted = rows.order_by().values_list("staff_member__name").annotate(count=Count("pk"))
    return list(counted.order_by("-count", "staff_member__name")[:HOLDERS_NAMED])


def _groups(chosen: Any, at: datetime) -> dict[tuple[str, str], int]:
    """Count by state at this instant (rule C3) and price class."""
    rows = chosen.order_by().annotate(present=_present(at)).values_list("present", "price_class").annotate(Count("pk"))
    return {(state, price_class): count for state, price_class, count in rows}


def _present(at: datetime) -> Case:
    overdue = Q(state=NumberState.DEACTIVATION_SCHEDULED, last_active_on__lt=berlin.day(at))
    return Case(When(overdue, then=Value(NumberState.INACTIVE)), default=F("state"))


def _stops(chosen: Any, at: datetime) -> tuple[list[str], int]:
    looked_at = list(chosen.unscheduled(at).order_by("e164").select_related("area").defer("note")[:STOPS_LOOKED_AT])
    names = {number.pk: messages.display(number) for number in looked_at}
    found = attachments.describe(looked_at, by_swap=False, at=at)
    return [f"{names[hanging.number_id]}: {hanging.sentence}" for hanging in found[:STOPS_NAMED]], len(found)


def _leaves_none(groups: Mapping[tuple[str, str], int], at: datetime) -> bool:
    going = sum(count for (state, _class), count in groups.items() if state == NumberState.ACTIVE)
    return bool(going) and not PhoneNumber.objects.unscheduled(at)[going : going + 1].exists()
