"""The calendar of porting, against a reckoning of its own that knows neither our code nor its library."""

from datetime import UTC, date, datetime, timedelta

import pytest

from numbers import port_calendar as calendar

DAY = timedelta(days=1)


def easter(year):
    """Easter Sunday after Meeus, Jones and Butcher."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


def national(year):
    moving = {easter(year) + timedelta(days=days) for days in (-2, 1, 39, 50)}
    return moving | {date(year, 1, 1), date(year, 5, 1), date(year, 10, 3), date(year, 12, 25), date(year, 12, 26)}


def works(day):
    return day.weekday() < 5 and day not in national(day.year)


def days(first, last):
    return [first + n * DAY for n in range((last - first).days + 1)]


EVERY_DAY = days(date(2026, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize(
    ("year", "sunday"),
    [(2026, (4, 5)), (2027, (3, 28)), (2028, (4, 16)), (2029, (4, 1)), (2030, (4, 21)), (2035, (3, 25))],
)
def test_the_reckoning_itself_knows_easter(year, sunday):
    assert easter(year) == date(year, *sunday)


def test_working_days_are_those_of_ten_years():
    assert [day for day in EVERY_DAY if calendar.is_working_day(day) != works(day)] == []
    assert [day for day in EVERY_DAY if (calendar.holiday(day) is not None) != (day in national(day.year))] == []


def test_dates_begin_after_seven_working_days_and_end_after_180_days():
    for today in EVERY_DAY[::3]:
        possible = calendar.allowed(today)
        wanted = [day for day in days(today + DAY, today + 180 * DAY) if works(day)][6:]
        assert possible == wanted, today


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2026, 11, 23), date(2026, 12, 2)),  # Monday
        (date(2026, 11, 28), date(2026, 12, 8)),  # Saturday
        (date(2026, 12, 18), date(2026, 12, 30)),  # over Christmas
        (date(2027, 3, 22), date(2027, 4, 2)),  # over Easter
    ],
)
def test_the_first_date_that_can_be_asked_for(today, first):
    assert calendar.earliest(today) == first
    assert calendar.refusal(first, today=today) is None
    assert "zu früh" in str(calendar.refusal(calendar.working_day_before(first), today=today))


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2027, 1, 9), "Wochenende"),
        (date(2026, 12, 25), "Erster Weihnachtstag"),
        (date(2027, 3, 26), "Karfreitag"),
        (date(2027, 5, 24), "zu weit in der Zukunft"),
    ],
)
def test_a_date_is_refused_in_plain_words(day, said):
    assert said in str(calendar.refusal(day, today=date(2026, 11, 23)))


@pytest.mark.parametrize(
    ("contract_end", "last"),
    [
        (date(2026, 1, 28), date(2026, 2, 28)),
        (date(2026, 1, 29), date(2026, 2, 28)),
        (date(2026, 1, 30), date(2026, 2, 28)),
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 28), date(2028, 2, 28)),
        (date(2028, 1, 29), date(2028, 2, 29)),
        (date(2028, 1, 30), date(2028, 2, 29)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2026, 2, 28), date(2026, 3, 28)),
        (date(2026, 3, 31), date(2026, 4, 30)),
        (date(2026, 11, 30), date(2026, 12, 30)),
        (date(2026, 12, 31), date(2027, 1, 31)),
        (date(9999, 12, 31), date(9999, 12, 31)),
    ],
)
def test_numbers_can_be_ported_until_a_month_after_the_contract(contract_end, last):
    assert calendar.deadline(contract_end) == last


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (date(2026, 11, 22), "endete vor zu langer Zeit"),
        (date(2026, 11, 23), "Es bleibt kein Tag mehr"),
        (date(2026, 12, 1), "Es bleibt kein Tag mehr"),
    ],
)
def test_deadline_that_leaves_no_day_says_whether_it_is_over(last, said):
    assert said in calendar.missed(last, today=date(2026, 11, 23))


def test_days_after_the_deadline_are_refused():
    last, today = date(2026, 12, 2), date(2026, 11, 23)

    assert calendar.missed(last, today=today) is None
    assert calendar.refusal(last, today=today, last=last) is None
    assert "Dieser Tag ist zu spät" in calendar.refusal(date(2026, 12, 3), today=today, last=last)


def test_nothing_changes_in_the_last_24_hours():
    assert calendar.locked_from(date(2026, 12, 8)) == datetime(2026, 12, 6, 23, 0, tzinfo=UTC)
    assert calendar.locked_from(date(2027, 3, 30)) == datetime(
        2027, 3, 28, 22, 0, tzinfo=UTC
    )  # a day after summer time


def test_a_changeover_begins_at_six():
    assert calendar.begun(datetime(2026, 12, 8, 4, 59, tzinfo=UTC)) == date(2026, 12, 7)
    assert calendar.begun(datetime(2026, 12, 8, 5, 0, tzinfo=UTC)) == date(2026, 12, 8)


@pytest.mark.parametrize(
    ("day", "at", "too_long"),
    [
        (date(2026, 12, 7), datetime(2026, 12, 8, 22, tzinfo=UTC), False),  # Monday; all of Tuesday passes
        (date(2026, 12, 7), datetime(2026, 12, 8, 23, tzinfo=UTC), True),
        (date(2026, 12, 11), datetime(2026, 12, 14, 12, tzinfo=UTC), False),  # Friday; Monday is the next working day
        (date(2026, 12, 11), datetime(2026, 12, 15, 12, tzinfo=UTC), True),
    ],
)
def test_more_than_a_working_day_is_too_long(day, at, too_long):
    assert (day < calendar.latest_unfinished(at)) is too_long


def test_the_day_before_a_day_off_is_known():
    assert calendar.is_before_rest(date(2026, 12, 4))
    assert calendar.is_before_rest(date(2026, 12, 24))
    assert not calendar.is_before_rest(date(2026, 12, 8))
