"""Months of real lives of numbers, billed, against a ledger that notes every day which place was paid."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest

from billing import costs, prices
from numbers import jobs, lifecycle, swap
from numbers.models import PhoneNumber
from portal import tenancy
from tests import make, oracle

BEGIN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
MONTHS = 14
NUMBERS = 12


def half_up(value):
    return Fraction(floor(value * 100 + Fraction(1, 2)), 100)


class Ledger:
    """Paid places by hand: which days each had, and what a month was worth on its first day in it."""

    def __init__(self):
        self.versions = {
            "standard": [(date(2020, 1, 1), Fraction("2.90"))],
            "premium": [(date(2020, 1, 1), Fraction("4.90"))],
        }
        self.places = []  # [price class, first day, last day or None]
        self.of = {}  # number -> its open place

    def price(self, price_class, on):
        return [monthly for valid_from, monthly in sorted(self.versions[price_class]) if valid_from <= on][-1]

    def month(self, year, month):
        """Return (places, net) of a month."""
        days = [date(year, month, day) for day in range(1, oracle.last_day(year, month) + 1)]
        count, net = 0, Fraction(0)
        for price_class, first, last in self.places:
            paid = [day for day in days if first <= day and (last is None or day <= last)]
            if paid:
                count += 1
                net += half_up(self.price(price_class, paid[0]) * len(paid) / len(days))
        return count, net


class Life:
    """Random clicks of fourteen months, in the portal and in the ledger."""

    def __init__(self, cast, as_operator, seed, job_every):
        self.cast, self.as_operator, self.job_every = cast, as_operator, job_every
        self.dice, self.ledger, self.now = random.Random(seed), Ledger(), BEGIN
        with self.tenant():
            classes = ["standard"] * (NUMBERS - 3) + ["premium"] * 3
            self.numbers = [make.number(f"+49302312{5000 + n}", price_class=c) for n, c in enumerate(classes)]

    def tenant(self):
        return tenancy.tenant_transaction(self.cast.acme.pk, user_id=self.cast.alice.pk)

    @property
    def today(self):
        return oracle.as_date(oracle.day(self.now))

    def live(self):
        end = BEGIN + timedelta(days=30 * MONTHS)
        while self.now < end:
            with self.tenant():
                self.dice.choice(
                    [self.activate, self.activate, self.schedule, self.schedule, self.withdraw, self.swap]
                )()
            if self.dice.random() < 0.08:
                self.change_price()
            self.now += timedelta(hours=self.dice.randrange(1, 120))
            if self.job_every and self.dice.randrange(self.job_every) == 0:
                with self.as_operator():
                    jobs.apply_deactivations(at=self.now)

    def place(self, number):
        place = self.ledger.of.get(number.pk)
        return None if place is None or (place[2] and place[2] < self.today) else place

    def act(self, operation, *numbers, **options):
        rows = {n.pk: n for n in PhoneNumber.objects.locked([n.pk for n in numbers])}
        return operation([rows[n.pk] for n in numbers], by=self.cast.alice, at=self.now, **options)

    def activate(self):
        number = self.dice.choice(self.numbers)
        seen = Decimal(floor(self.ledger.price(number.price_class, self.today) * 100)) / 100
        self.act(lifecycle.activate, number, prices_seen={number.price_class: seen})
        if place := self.place(number):
            place[2] = None
        else:
            self.ledger.of[number.pk] = [number.price_class, self.today, None]
            self.ledger.places.append(self.ledger.of[number.pk])

    def schedule(self):
        number, last = self.dice.choice(self.numbers), oracle.as_date(oracle.end_of_following_month(self.now))
        self.act(lifecycle.schedule_deactivation, number, date_seen=last)
        if (place := self.place(number)) and place[2] is None:
            place[2] = last

    def withdraw(self):
        number = self.dice.choice(self.numbers)
        self.act(lifecycle.withdraw, number)
        if place := self.place(number):
            place[2] = None

    def swap(self):
        old, new = self.dice.sample(self.numbers, 2)
        self.act(lambda rows, **options: swap.swap(*rows, **options), old, new)
        place = self.place(old)
        if place and place[2] is None and self.place(new) is None and old.price_class == new.price_class:
            self.ledger.of[new.pk] = self.ledger.of.pop(old.pk)

    def change_price(self):
        price_class = self.dice.choice(["standard", "premium"])
        cents, valid_from = self.dice.randrange(100, 900), self.today + timedelta(days=self.dice.randrange(1, 45))
        with self.as_operator():
            prices.set_price(
                price_class,
                monthly=Decimal(cents) / 100,
                order_fee=Decimal(0),
                vat_rate=Decimal(19),
                valid_from=valid_from,
                by="test",
                at=self.now,
            )
        kept = [version for version in self.ledger.versions[price_class] if version[0] != valid_from]
        self.ledger.versions[price_class] = [*kept, (valid_from, Fraction(cents, 100))]


@pytest.mark.parametrize("job_every", [0, 1, 20], ids=["job never", "job always", "job late"])
@pytest.mark.parametrize("seed", [20260101, None], ids=["fixed", "random"])
def test_every_month_costs_what_the_ledger_says(cast, as_operator, seed, job_every):
    seed = seed or random.SystemRandom().randrange(2**32)
    print(f"random seed {seed}")
    life = Life(cast, as_operator, seed, job_every)
    life.live()

    with life.tenant():
        first = date(2026, 1, 1)
        bills = costs.bills(first, MONTHS + 6, of=costs.places(), at=costs.versions())
        listed = [
            (
                len(lines := costs.lines(costs.charged(bill.month), bill.month, costs.versions())),
                sum(one.charge.net for one in lines),
            )
            for bill in bills
        ]

    expected = [life.ledger.month(bill.month.year, bill.month.month) for bill in bills]
    assert [(bill.slots, Fraction(bill.net)) for bill in bills] == expected
    assert [(count, Fraction(net)) for count, net in listed] == expected
    assert len(life.ledger.places) >= NUMBERS
    vat = [half_up(net * 19 / 100) for _, net in expected]
    assert [Fraction(bill.gross) for bill in bills] == [net + tax for (_, net), tax in zip(expected, vat, strict=True)]
