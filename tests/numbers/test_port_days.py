"""The calendar of a port order as its pages show it: what can be chosen, and why the rest cannot."""

from datetime import date

import pytest
from django.utils import translation

from numbers import port_calendar, port_days

TODAY = date(2026, 11, 23)  # a Monday; the first day to choose is 2 December, the last 22 May


def days(last):
    with translation.override("de"):
        months = port_days.calendar(TODAY, None, last=last)
    return months, [day for month in months for week in month.weeks for day in week if day]


@pytest.mark.parametrize("last", [None, date(2027, 1, 31), date(2026, 12, 2), date(2028, 1, 1)])
def test_calendar_offers_what_can_be_asked_for(last):
    _months, shown = days(last)

    offered = [day.on for day in shown if not day.why]

    possible = port_calendar.allowed(TODAY)
    assert offered == [on for on in possible if last is None or on <= last]
    assert offered == [day.on for day in shown if not port_calendar.refusal(day.on, today=TODAY, last=last)]


def test_calendar_says_why_a_day_cannot_be_chosen():
    months, shown = days(date(2027, 1, 28))

    why = {day.on: day.why for day in shown}
    assert why[date(2026, 12, 1)] == "zu früh"
    assert why[date(2026, 12, 5)] == "Wochenende"
    assert why[date(2026, 12, 25)] == "Erster Weihnachtstag"
    assert why[date(2027, 1, 29)] == "zu spät"
    assert months[0].notes == [
        "bis 01.12. zu früh: Der bisherige Anbieter braucht mindestens sieben Werktage",
        "25.12. Erster Weihnachtstag",
    ]
    assert months[1].notes == [
        "01.01. Neujahr",
        "ab 29.01. zu spät: Die Portierung ist nur bis einen Monat nach Vertragsende möglich",
    ]
    assert len(months) == 2


def test_calendar_ends_after_180_days():
    months, _shown = days(None)

    assert months[-1].notes[-1] == "ab 23.05. zu weit in der Zukunft: höchstens 180 Tage sind möglich"


def test_calendar_is_empty_when_the_deadline_leaves_no_day():
    assert days(date(2026, 12, 1)) == ([], [])
