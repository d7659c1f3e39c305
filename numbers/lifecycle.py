"""The life of a number.

| from                   | verb                  | to                     | rule |
|------------------------|-----------------------|------------------------|------|
| inactive               | activate              | active                 | L1   |
| active                 | activate              | – (unchanged)          | L2   |
| deactivation scheduled | activate              | active (a withdrawal)  | L2   |
| active                 | schedule_deactivation | deactivation scheduled | L4   |
| deactivation scheduled | schedule_deactivation | – (first date stays)   | C5   |
| deactivation scheduled | withdraw              | active                 | C5   |
| deactivation scheduled | take_effect (job)     | inactive               | L5   |

An operation that meets a number past its last active day settles it first, on its planned date (rule C3). Each confirms
by mail to whoever acts, unless `confirm` is False: a bulk run writes one mail for all.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from billing import prices, slots
from billing.models import PriceClass
from numbers import effects, messages, outcomes
from numbers.models import LockedNumber, NumberState
from numbers.moves import move
from numbers.outcomes import Outcome, Reason
from portal import berlin
from portal.models import User


class PriceChanged(Exception):
    """The price shown is no longer the price; `quotes` holds the present ones per price class (rule L1)."""

    def __init__(self, quotes: Mapping[PriceClass, prices.Quote]) -> None:
        super().__init__("price changed")
        self.quotes = quotes


class DateChanged(Exception):
    """The date shown no longer holds (midnight passed at the end of a month); `last_active_on` is the present one."""

    def __init__(self, last_active_on: date) -> None:
        super().__init__("date changed")
        self.last_active_on = last_active_on


def activate(
    numbers: Sequence[LockedNumber], *, prices_seen: Mapping[str, Decimal], by: User, at: datetime, confirm: bool = True
) -> list[Outcome]:
    """Bring inactive numbers into paid service, from `at` on.

    Returns one outcome per number: done, unchanged (already active) or refused with its reason. A number scheduled for
    deactivation is withdrawn instead, at no new price. Raises PriceChanged when `prices_seen` (net EUR per number and
    month, per price class) is no longer the price of a class that would be charged. Rules L1, L2.
    """
    effects.settle(numbers, at=at)
    today = berlin.day(at)
    inactive = [n for n in numbers if n.state == NumberState.INACTIVE]
    quotes = _quotes({n.price_class for n in inactive}, prices_seen, on=today) if inactive else {}
    scheduled = [n for n in numbers if n.state == NumberState.DEACTIVATION_SCHEDULED]
    found = {n.pk: _refusal(n, {NumberState.ACTIVE: outcomes.unchanged(n.pk, Reason.ALREADY_ACTIVE)}) for n in numbers}
    _take_back(scheduled, by=by, at=at, confirm=confirm)
    if inactive:
        before = {"state": NumberState.INACTIVE}
        move(inactive, "number.activated", before=before, by=by, at=at, state=NumberState.ACTIVE, active_since=today)
        slots.open_slots([(n.e164, n.price_class) for n in inactive], tenant_id=inactive[0].tenant_id, on=today)
        costs = [quotes[PriceClass(n.price_class)] for n in inactive]
        monthly, first_month = sum(q.monthly for q in costs), sum(q.first_month for q in costs)
        if confirm:
            messages.confirm("numbers/activated", inactive, by=by, at=at, monthly=monthly, first_month=first_month)
    return _answers(numbers, found)


def schedule_deactivation(
    numbers: Sequence[LockedNumber], *, date_seen: date, by: User, at: datetime, confirm: bool = True
) -> list[Outcome]:
    """Schedule the deactivation of active numbers for the end of the following month; until then they work (L4).

    Returns one outcome per number: done, unchanged (already scheduled, the first date stays) or refused. Raises
    DateChanged when `date_seen`, the last active day shown, no longer holds at `at` (rules C1, C4, C5).
    """
    effects.settle(numbers, at=at)
    last_active_on = berlin.end_of_following_month(at)
    active = [n for n in numbers if n.state == NumberState.ACTIVE]
    if active and date_seen != last_active_on:
        raise DateChanged(last_active_on)
    kept = {
        n.pk: _refusal(
            n,
            {
                NumberState.DEACTIVATION_SCHEDULED: outcomes.unchanged(n.pk, Reason.ALREADY_SCHEDULED),
                NumberState.INACTIVE: outcomes.refused(n.pk, Reason.NOT_ACTIVE),
            },
        )
        for n in numbers
    }
    if active:
        to: dict[str, str | date | None] = {
            "state": NumberState.DEACTIVATION_SCHEDULED,
            "last_active_on": last_active_on,
        }
        before = {"state": NumberState.ACTIVE}
        move(active, "number.deactivation_scheduled", before=before, by=by, at=at, **to)
        slots.end([n.e164 for n in active], last_on=last_active_on)
        if confirm:
            messages.confirm("numbers/deactivation_scheduled", active, by=by, at=at, last_active_on=last_active_on)
    return _answers(numbers, kept)


def withdraw(numbers: Sequence[LockedNumber], *, by: User, at: datetime, confirm: bool = True) -> list[Outcome]:
    """Take scheduled deactivations back, up to the last instant of the last active day (rule C5).

    Returns one outcome per number: done, unchanged (active, nothing scheduled) or refused (it has taken effect).
    """
    effects.settle(numbers, at=at)
    kept = {
        n.pk: _refusal(
            n,
            {
                NumberState.ACTIVE: outcomes.unchanged(n.pk, Reason.NOT_SCHEDULED),
                NumberState.INACTIVE: outcomes.refused(n.pk, Reason.ALREADY_INACTIVE),
            },
        )
        for n in numbers
    }
    _take_back([n for n in numbers if n.state == NumberState.DEACTIVATION_SCHEDULED], by=by, at=at, confirm=confirm)
    return _answers(numbers, kept)


def _take_back(scheduled: Sequence[LockedNumber], *, by: User, at: datetime, confirm: bool) -> None:
    if not scheduled:
        return
    by_date: dict[date, list[LockedNumber]] = {}
    for number in scheduled:
        if number.last_active_on is not None:  # always, by the database's CHECK
            by_date.setdefault(number.last_active_on, []).append(number)
    for last_active_on, group in by_date.items():
        slots.reopen([n.e164 for n in group], last_on=last_active_on)
        before = {"state": NumberState.DEACTIVATION_SCHEDULED, "last_active_on": last_active_on}
        to: dict[str, str | date | None] = {"state": NumberState.ACTIVE, "last_active_on": None}
        move(group, "number.deactivation_withdrawn", before=before, by=by, at=at, **to)
    if confirm:
        messages.confirm("numbers/deactivation_withdrawn", scheduled, by=by, at=at)


def _quotes(classes: set[str], seen: Mapping[str, Decimal], *, on: date) -> dict[PriceClass, prices.Quote]:
    """Return the present quotes if they are what was seen; raise PriceChanged otherwise."""
    present = prices.quotes(classes, on=on)
    if any(seen.get(name) != quote.monthly for name, quote in present.items()):
        raise PriceChanged(present)
    return present


def _refusal(number: LockedNumber, known: Mapping[NumberState, Outcome]) -> Outcome | None:
    """Return why this number is left as it is, or None if it takes part."""
    state = NumberState(number.state)
    if state == NumberState.PORT_IN_PENDING:
        return outcomes.refused(number.pk, Reason.PORTING)
    if state in (NumberState.RETURNED, NumberState.PORTED_OUT):
        return outcomes.refused(number.pk, Reason.GONE)
    return known.get(state)


def _answers(numbers: Sequence[LockedNumber], kept: Mapping[int, Outcome | None]) -> list[Outcome]:
    return [kept[n.pk] or outcomes.done(n.pk) for n in numbers]
