"""What a number's page shows, shaped before the template."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from numbers import destinations, history, holders, messages, notation
from numbers.destinations import Names
from numbers.history import Line
from numbers.models import Forwarding, NumberState, PhoneNumber
from portal import berlin

EVENTS = 20


@dataclass(frozen=True, slots=True)
class Rule:
    """What a number does with its calls in one case; without a rule `destination` and `text` (for people) are empty.

    `ends` says whether the rule has a last day, which then stands in `text`.
    """

    when: str
    case: str
    destination: str
    text: str
    seconds: int | None
    changed_at: datetime | None
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """A number as its page and its dialogs name it. Dates are Berlin days; `working` means it takes calls now."""

    number: str
    international: str
    state: NumberState
    working: bool
    last_active_on: date | None
    inactive_from: date | None
    block: str


def facts(number: PhoneNumber, *, at: datetime) -> Facts:
    """Return how this number (its `area` loaded) stands at an instant."""
    last = number.works_until(at)
    state = number.state_at(at)
    code, base, extension = number.area.area_code, number.base_number, number.extension_digits
    return Facts(
        number=messages.display(number),
        international=notation.international(number.e164, code, base_number=base, extension=extension),
        state=state,
        working=state in (NumberState.ACTIVE, NumberState.DEACTIVATION_SCHEDULED),
        last_active_on=last,
        inactive_from=berlin.inactive_from(last).date() if last else None,
        block=notation.national(base, code) if extension else "",
    )


def standing(number: PhoneNumber, *, at: datetime) -> dict[str, Any]:
    """Return how a number stands: its facts, where its calls go, and who has, will have and had it."""
    holding, had = holders.history(number, at=at)
    return {
        "facts": facts(number, at=at),
        "rules": rules(number, at=at),
        "incoming": incoming(number, at=at),
        "holding": holding,
        "had": had,
    }


def rules(number: PhoneNumber, *, at: datetime) -> list[Rule]:
    """Return the three cases of forwarding with what is set up for each."""
    known = {rule.when: rule for rule in Forwarding.objects.standing(at).filter(number=number)}
    names = destinations.names(rule.destination for rule in known.values())
    return [_rule(case, known.get(case), names) for case in Forwarding.When]


def rules_of(numbers: Sequence[PhoneNumber], *, at: datetime) -> dict[int, list[Rule]]:
    """Return for each of these numbers the cases in which its calls are forwarded, in one query."""
    found: dict[int, list[Rule]] = {number.pk: [] for number in numbers}
    known = list(Forwarding.objects.standing(at).filter(number__in=list(found)).order_by("when"))
    names = destinations.names(rule.destination for rule in known)
    for rule in known:
        found[rule.number_id].append(_rule(Forwarding.When(rule.when), rule, names))
    return found


def incoming(number: PhoneNumber, *, at: datetime) -> list[str]:
    """Return the own numbers from which calls are forwarded to this one."""
    sources = Forwarding.objects.standing(at).filter(destination=number.e164).order_by("number__e164")
    e164s = list(sources.values_list("number__e164", flat=True).distinct()[:EVENTS])
    names = destinations.names(e164s)
    return [names[e164] for e164 in e164s]


def _rule(case: Forwarding.When, rule: Forwarding | None, names: Names) -> Rule:
    if rule is None:
        return Rule(case, _case(case, None), "", "", None, None)
    text, ends = names[rule.destination], rule.until_at is not None
    if rule.until_at:
        last = date_format(berlin.day(rule.until_at) - timedelta(days=1), "SHORT_DATE_FORMAT")
        text = _("%(destination)s, up to and including %(day)s") % {"destination": text, "day": last}
    return Rule(
        case, _case(case, rule.after_seconds), rule.destination, text, rule.after_seconds, rule.changed_at, ends
    )


def _case(case: Forwarding.When, seconds: int | None) -> str:
    if seconds:
        return _("When there is no answer after %(seconds)s seconds") % {"seconds": seconds}
    names = {
        Forwarding.When.ALWAYS: _("Always"),
        Forwarding.When.BUSY: _("When busy"),
        Forwarding.When.NO_ANSWER: _("When there is no answer"),
    }
    return names[case]


def past(number: PhoneNumber, *, before: int | None) -> tuple[list[Line], int | None]:
    """Return a page of what happened to a number, newest first, and where the next page begins (an event's id)."""
    found: Any = history.of_number(number)
    if before:
        found = found.filter(pk__lt=before)
    rows = list(found[: EVENTS + 1])
    more = rows[EVENTS - 1].pk if len(rows) > EVENTS else None
    return history.lines(rows[:EVENTS]), more
