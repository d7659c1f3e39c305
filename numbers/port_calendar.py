"""The calendar of porting (rules P1 and P3). Working days are Monday to Friday without national holidays.

Changeovers begin at six in the morning (Berlin) of their day. A day right before a day off is allowed here: whether the
old provider takes it is up to it, so pages only hint at it (`is_before_rest`).
"""

from calendar import monthrange
from datetime import MAXYEAR, date, datetime, timedelta
from functools import cache

import holidays
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from portal import berlin

LEAST_WORKING_DAYS = 7
MOST_DAYS = 180
LOCK = timedelta(hours=24)
BEGINS = timedelta(hours=6)
NAMED = {"en": "en_US"}  # what the package calls a language in which holidays have names, German else
_DAY = timedelta(days=1)


def holiday(day: date) -> str | None:
    """Return the name of the German national holiday on this day in the present language, or None."""
    return _holidays(day.year, NAMED.get(get_language() or "", "de")).get(day)


def is_working_day(day: date) -> bool:
    """Return whether numbers can change provider on this day."""
    return day.isoweekday() <= 5 and holiday(day) is None


def is_before_rest(day: date) -> bool:
    """Return whether the next day is none of work, so that the old provider may insist on another date."""
    return not is_working_day(day + _DAY)


def working_day_after(day: date, count: int = 1) -> date:
    """Return the working day that is `count` working days after this day."""
    for _step in range(count):
        day += _DAY
        while not is_working_day(day):
            day += _DAY
    return day


def working_day_before(day: date) -> date:
    """Return the last working day before this day."""
    day -= _DAY
    while not is_working_day(day):
        day -= _DAY
    return day


def earliest(today: date) -> date:
    """Return the first date that can be asked for: seven working days ahead."""
    return working_day_after(today, LEAST_WORKING_DAYS)


def latest(today: date) -> date:
    """Return the last day that can be asked for, 180 days ahead; it may be no working day."""
    return today + timedelta(days=MOST_DAYS)


def allowed(today: date) -> list[date]:
    """Return every date that can be asked for, in order."""
    days = (latest(today) - earliest(today)).days + 1
    return [day for day in (earliest(today) + timedelta(days=n) for n in range(days)) if is_working_day(day)]


def refusal(day: date, *, today: date, last: date | None = None) -> Promise | str | None:
    """Return why this date cannot be asked for today, as a sentence, or None if it can.

    `last` is the deadline of the old contract, if it is known that the contract ends.
    """
    if obstacle := day_off(day):
        return obstacle
    if day < earliest(today):
        return _("This date is too early. The old provider needs at least seven working days.")
    if day > latest(today):
        return _("This date is too far ahead. At most 180 days are possible.")
    if last is not None and day > last:
        late = _("This date is too late: numbers can be ported until one month after the contract ends, here until %s.")
        return str(late) % date_format(last, "SHORT_DATE_FORMAT")
    return None


def missed(last: date, *, today: date) -> str | None:
    """Return why this deadline of an old contract leaves no date, as a sentence, or None if it leaves one (rule P1)."""
    if last >= earliest(today):
        return None
    over = _("The old contract ended too long ago: numbers can be ported until one month after it, here until %s.")
    near = _(
        "No date is left: numbers can be ported until %s, one month after the contract ends, and the old provider "
        "needs at least seven working days. Please call us."
    )
    return str(over if last < today else near) % date_format(last, "SHORT_DATE_FORMAT")


def day_off(day: date) -> Promise | str | None:
    """Return why no number changes provider on this day, as a sentence, or None on a working day."""
    if day.isoweekday() > 5:
        return _("Numbers are not ported at weekends. Please choose a day from Monday to Friday.")
    if name := holiday(day):
        return str(_("Numbers are not ported on national holidays (%(name)s). Please choose another day.")) % {
            "name": name
        }
    return None


def deadline(contract_ends_on: date) -> date:
    """Return the last day on which numbers can be ported: one month after the contract ended (rule P1).

    The same day of the next month, or its last day if there is none: 31 January → 28 or 29 February.
    """
    if contract_ends_on.year == MAXYEAR:
        return date.max
    following = berlin.next_month(contract_ends_on)
    return following.replace(day=min(contract_ends_on.day, monthrange(following.year, following.month)[1]))


def locked_from(confirmed_on: date) -> datetime:
    """Return the instant from which nothing can be changed any more: 24 hours before the day of changeover begins."""
    return berlin.begin(confirmed_on) - LOCK


def begun(at: datetime) -> date:
    """Return the latest day whose changeover has begun."""
    return berlin.day(at - BEGINS)


def latest_unfinished(at: datetime) -> date:
    """Return the day before whose dates a changeover that is not completed has lasted more than a working day."""
    return working_day_before(berlin.day(at))


@cache
def _holidays(year: int, language: str) -> dict[date, str]:
    return dict(holidays.country_holidays("DE", years=year, language=language))
