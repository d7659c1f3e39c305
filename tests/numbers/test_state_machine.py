"""The life of a few numbers, step by step against a model of plain dictionaries that knows nothing of the database."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from billing import prices
from billing.models import Slot
from numbers import jobs, lifecycle, swap
from numbers.models import PhoneNumber
from numbers.outcomes import Reason, Result
from portal import tenancy
from portal.rehearsal import rehearsal
from tests import make, oracle

NUMBERS = 5  # three standard, two premium
STEPS = 50
WORLD = {}  # the cast and how to act as the operator; filled by the test, for hypothesis makes the machines itself
which = st.integers(0, NUMBERS - 1)


class Life(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        WORLD["steps"] -= 1  # what must hold is looked at once before the first of them
        self.cast, self.as_operator = WORLD["cast"], WORLD["as_operator"]
        self.rehearsal = rehearsal()
        self.rehearsal.__enter__()
        self.now = datetime(2026, 1, 29, 9, 0, tzinfo=UTC)
        self.price = {"standard": [(self.today, Decimal("2.90"))], "premium": [(self.today, Decimal("4.90"))]}
        self.model = {}
        self.slots = []
        self.serial = 0
        with self.tenant():
            for place in range(NUMBERS):
                price_class = "standard" if place < 3 else "premium"
                row = make.number(f"+49302312500{place}", price_class=price_class)
                self.model[place] = {
                    "pk": row.pk,
                    "e164": row.e164,
                    "class": price_class,
                    "state": "inactive",
                    "last": None,
                    "gone_to": None,
                }

    def teardown(self):
        self.rehearsal.__exit__(None, None, None)

    def tenant(self):
        return tenancy.tenant_transaction(self.cast.acme.pk, user_id=self.cast.alice.pk)

    @property
    def today(self):
        return oracle.as_date(oracle.day(self.now))

    # What the model knows.

    def settle(self, *places):
        for place in places:
            one = self.model[place]
            if one["last"] and one["last"] < self.today:
                one["state"], one["last"] = "inactive", None

    def state(self, place):
        one = self.model[place]
        return "inactive" if one["last"] and one["last"] < self.today else one["state"]

    def price_of(self, price_class):
        return [monthly for valid_from, monthly in self.price[price_class] if valid_from <= self.today][-1]

    def slot_of(self, place):
        return next(slot for slot in reversed(self.slots) if slot["of"] == place)

    def pass_time(self, **time):
        """Move the clock, and note each day that begins (a day in Berlin may have 23 hours) where it is paid."""
        before = self.today
        self.now += timedelta(**time)
        for day in oracle.days_of(before + timedelta(days=1), self.today + timedelta(days=1)):
            for slot in self.slots:
                if slot["until"] is None or day < slot["until"]:
                    slot["days"].add(day)

    # What can happen.

    def act(self, operation, *places, **options):
        with self.tenant():
            locked = {n.pk: n for n in PhoneNumber.objects.locked(self.model[p]["pk"] for p in places)}
            rows = [locked[self.model[p]["pk"]] for p in places]
            return operation(rows, by=self.cast.alice, at=self.now, **options)

    @rule(place=which, is_stale=st.integers(0, 9))
    def activate(self, place, is_stale):
        one, before = self.model[place], self.state(place)
        seen = {one["class"]: self.price_of(one["class"]) + (is_stale == 0)}
        try:
            (outcome,) = self.act(lifecycle.activate, place, prices_seen=seen)
        except lifecycle.PriceChanged:
            assert (is_stale, before) == (0, "inactive")
            return
        assert not (is_stale == 0 and before == "inactive")
        self.settle(place)
        if before == "inactive":
            self.slots.append({"of": place, "from": self.today, "until": None, "days": {self.today}})
            one["state"] = "active"
        elif before == "scheduled":
            self.take_back(place)
        expected = (Result.UNCHANGED, Reason.ALREADY_ACTIVE) if before == "active" else (Result.DONE, None)
        assert (outcome.result, outcome.reason) == expected

    @rule(place=which, is_stale=st.integers(0, 9))
    def schedule(self, place, is_stale):
        one, before = self.model[place], self.state(place)
        last = oracle.as_date(oracle.end_of_following_month(self.now))
        seen = last - timedelta(days=31) if is_stale == 0 else last
        try:
            (outcome,) = self.act(lifecycle.schedule_deactivation, place, date_seen=seen)
        except lifecycle.DateChanged:
            assert (is_stale, before) == (0, "active")
            return
        assert not (is_stale == 0 and before == "active")
        self.settle(place)
        if before == "active":
            one["state"], one["last"] = "scheduled", last
            self.slot_of(place)["until"] = last + timedelta(days=1)
        assert (outcome.result, outcome.reason) == {
            "active": (Result.DONE, None),
            "scheduled": (Result.UNCHANGED, Reason.ALREADY_SCHEDULED),
            "inactive": (Result.REFUSED, Reason.NOT_ACTIVE),
        }[before]

    @rule(place=which)
    def withdraw(self, place):
        before = self.state(place)
        (outcome,) = self.act(lifecycle.withdraw, place)
        self.settle(place)
        if before == "scheduled":
            self.take_back(place)
        assert (outcome.result, outcome.reason) == {
            "active": (Result.UNCHANGED, Reason.NOT_SCHEDULED),
            "scheduled": (Result.DONE, None),
            "inactive": (Result.REFUSED, Reason.ALREADY_INACTIVE),
        }[before]

    def take_back(self, place):
        self.model[place].update(state="active", last=None)
        self.slot_of(place)["until"] = None

    @rule(old=which, new=which)
    def swap(self, old, new):
        before, active = (self.state(old), self.state(new)), self.count_active()
        outcome = self.act(lambda rows, **options: swap.swap(rows[0], rows[1], **options), old, new)
        self.settle(old, new)
        expected = self.expected_of_swap(old, new, *before)
        assert (outcome.result, outcome.reason) == expected
        if expected == (Result.DONE, None):
            self.model[old].update(state="inactive", gone_to=new)
            self.model[new].update(state="active")
            slot = next(s for s in reversed(self.slots) if s["of"] == old)
            slot["of"] = new
            self.slots.append(self.slots.pop(self.slots.index(slot)))
        assert self.count_active() == active

    def expected_of_swap(self, old, new, state_of_old, state_of_new):
        if (state_of_old, state_of_new) == ("inactive", "active") and self.model[old]["gone_to"] == new:
            return Result.UNCHANGED, Reason.ALREADY_SWAPPED
        if old == new:
            return Result.REFUSED, Reason.SAME_NUMBER
        if state_of_old == "scheduled":
            return Result.REFUSED, Reason.OLD_SCHEDULED
        if state_of_old != "active":
            return Result.REFUSED, Reason.OLD_NOT_ACTIVE
        if state_of_new != "inactive":
            return Result.REFUSED, Reason.NEW_NOT_INACTIVE
        if self.model[old]["class"] != self.model[new]["class"]:
            return Result.REFUSED, Reason.OTHER_PRICE_CLASS
        return Result.DONE, None

    def count_active(self):
        with self.tenant():
            return PhoneNumber.objects.active(self.now).count()

    @rule(days=st.integers(0, 70), minutes=st.integers(0, 1439))
    def tick(self, days, minutes):
        self.pass_time(days=days, minutes=minutes)

    @rule(times=st.integers(1, 2))
    def run_job(self, times):
        for again in range(times):
            with self.as_operator():
                due = sum(1 for one in self.model.values() if one["last"] and one["last"] < self.today)
                run = jobs.apply_deactivations(at=self.now)
            assert (run.planned, run.done, run.error) == (due, due, "")
            assert again == 0 or due == 0
            self.settle(*self.model)

    @rule(price_class=st.sampled_from(["standard", "premium"]), cents=st.integers(1, 999), ahead=st.integers(1, 40))
    def change_price(self, price_class, cents, ahead):
        valid_from, monthly = self.today + timedelta(days=ahead), Decimal(cents) / 100
        with self.as_operator():
            prices.set_price(
                price_class,
                monthly=monthly,
                order_fee=Decimal(0),
                vat_rate=Decimal(19),
                valid_from=valid_from,
                by="test",
                at=self.now,
            )
        versions = dict(self.price[price_class]) | {valid_from: monthly}
        self.price[price_class] = sorted(versions.items())

    # What must hold after every step.

    @invariant()
    def rows_slots_and_readers_agree(self):
        WORLD["steps"] += 1
        with self.tenant():
            rows = {n.pk: n for n in PhoneNumber.objects.all()}
            readers = {
                name: set(getattr(PhoneNumber.objects, name)(self.now).values_list("pk", flat=True))
                for name in ("active", "scheduled", "unscheduled", "inactive")
            }
            found = sorted(((slot.label, slot.from_on, slot.until_on) for slot in Slot.objects.all()), key=str)
        states = {one["pk"]: self.state(place) for place, one in self.model.items()}
        names = {"active": "active", "inactive": "inactive", "deactivation_scheduled": "scheduled"}
        assert {pk: names[row.state_at(self.now)] for pk, row in rows.items()} == states
        for name, meant in (
            ("active", {"active", "scheduled"}),
            ("scheduled", {"scheduled"}),
            ("unscheduled", {"active"}),
            ("inactive", {"inactive"}),
        ):
            assert readers[name] == {pk for pk, state in states.items() if state in meant}, name
        wanted = [(self.model[slot["of"]]["e164"], slot["from"], slot["until"]) for slot in self.slots]
        assert found == sorted(wanted, key=str)
        tomorrow = self.today + timedelta(days=1)
        for slot in self.slots:
            assert set(oracle.days_of(slot["from"], min(slot["until"] or tomorrow, tomorrow))) == slot["days"]
        now_paid = sum(1 for slot in self.slots if self.today in slot["days"])
        assert now_paid >= len(readers["active"])


def live(cast, as_operator, steps, number):
    """Let machines run until `steps` steps were taken; hypothesis ends some of them early."""
    WORLD.update(cast=cast, as_operator=as_operator, steps=0)
    for again in itertools.count():
        left = steps - WORLD["steps"]
        if left <= 0:
            break
        run_state_machine_as_test(
            seed(number + again)(Life),
            settings=settings(
                max_examples=-(-left // STEPS),
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    print(f"{WORLD['steps']} steps")


@pytest.mark.timeout(3600)
def test_the_life_of_numbers_follows_the_model(cast, as_operator, scale):
    live(cast, as_operator, scale(10_000), 23)


@pytest.mark.timeout(3600)
def test_the_life_of_numbers_follows_the_model_on_a_new_path(cast, as_operator, scale):
    number = random.SystemRandom().randrange(2**32)
    print(f"random seed {number}")
    live(cast, as_operator, scale(5_000), number)
