"""The life of a few port orders, whatever people and the clock do, against a table of moves written down here again."""

import itertools
import random
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from numbers import jobs, port_completion, port_desk, port_numbers, porting
from numbers.models import PhoneNumber, PortEvent, PortNumber, PortOrder
from numbers.porting import PortRefused
from portal import tenancy
from portal.rehearsal import rehearsal
from tests import porting as ports
from tests.numbers.test_port_calendar import works

STEPS, ORDERS = 40, 3
WORLD = {}  # the cast and how to act as the operator; filled by the test, for hypothesis makes the machines itself
ALLOWED = {
    ("draft", "submitted"),
    ("draft", "cancelled"),
    ("submitted", "confirmed"),
    ("submitted", "rejected"),
    ("submitted", "cancelled"),
    ("confirmed", "rejected"),
    ("confirmed", "completed"),
    ("confirmed", "cancelled"),
    ("rejected", "submitted"),
    ("rejected", "cancelled"),
}
TELLS = {port_desk.set_off: True, port_desk.note_sent: True, port_desk.accept: True}
TELLS |= {porting.submit: False, port_desk.reject: False}
which = st.integers(0, ORDERS - 1)
ahead = st.integers(-3, 40)


class Porting(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.cast, self.as_operator = WORLD["cast"], WORLD["as_operator"]
        self.rehearsal = rehearsal()
        self.rehearsal.__enter__()
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        with self.tenant():
            ports.verified(self.cast)
            # the first two share a number
            wanted = (("710", "711"), ("711", "712"), ("713",))
            self.keys = [
                ports.draft(self.cast, *(f"+493023125{end}" for end in ends), requested_on=self.day(15)).pk
                for ends in wanted
            ]
        self.states = ["draft"] * ORDERS
        self.told = [False] * ORDERS  # whether the old provider may have the order to act on

    def teardown(self):
        self.rehearsal.__exit__(None, None, None)

    def tenant(self):
        return tenancy.tenant_transaction(self.cast.acme.pk, user_id=self.cast.alice.pk)

    def day(self, days):
        return (self.now + timedelta(days=days)).date()

    def act(self, operation, place, *given, by=None, **options):
        """Let it happen or be refused; only then it changes nothing."""
        by = by or self.cast.alice
        try:
            with self.tenant():
                operation(PortOrder.objects.locked(self.keys[place]), *given, by=by, at=self.now, **options)
        except PortRefused:
            return False
        WORLD["done"] += 1
        if operation in TELLS:
            self.told[place] = TELLS[operation]
        return True

    def sign(self, order, *, by, at):
        porting.add_document(order, name=f"{uuid4().hex}.pdf", pages=1, size=1, code=ports.code(order), by=by, at=at)

    # What can happen.

    def verbs(self, place, days):
        olga = self.cast.olga
        return {
            "submit": lambda: self.act(porting.submit, place),
            "date": lambda: self.act(porting.save, place, {"requested_on": self.day(14 + days)}),
            "numbers": lambda: self.act(
                porting.set_numbers, place, port_numbers.singles(f"030 2312571{abs(days) % 4}")
            ),
            "sign": lambda: self.act(self.sign, place),
            "ask": lambda: self.act(porting.ask_date, place, self.day(9 + days)),
            "cancel": lambda: self.act(porting.cancel, place, by=olga if days % 2 else None, reason="Grund"),
            "take": lambda: self.act(port_desk.take, place, by=olga),
            "set off": lambda: self.act(port_desk.set_off, place, by="transport"),
            "sent": lambda: self.act(port_desk.note_sent, place, by=olga),
            "accept": lambda: self.act(port_desk.accept, place, self.day(days), by=olga),
            "reject": lambda: self.act(port_desk.reject, place, "SON", "Grund", by=olga),
            "agree": lambda: self.act(port_desk.accept_change, place, by=olga),
            "refuse": lambda: self.act(port_desk.refuse_change, place, "Grund", by=olga),
            "move": lambda: self.act(port_desk.move_date, place, self.day(days), by=olga),
            "fault": lambda: self.act(port_desk.report_fault, place, "Grund", by=olga),
            "complete": lambda: self.act(port_completion.complete, place, by=olga),
        }

    @rule(place=which, verb=st.integers(0, 99), days=ahead)
    def do_what_may_be_possible(self, place, verb, days):
        likely = {
            "draft": ("submit", "submit", "sign", "date", "numbers"),
            "submitted": ("accept", "accept", "reject", "set off", "sent", "take", "cancel"),
            "confirmed": ("ask", "agree", "refuse", "move", "reject", "fault", "complete", "sent"),
            "rejected": ("date", "sign", "submit", "submit"),
            "completed": (),
            "cancelled": ("sent",),
        }[self.states[place]]
        if likely:
            self.verbs(place, days)[likely[verb % len(likely)]]()

    @rule(place=which, verb=st.integers(0, 99), days=ahead)
    def do_anything(self, place, verb, days):
        verbs = list(self.verbs(place, days).values())
        verbs[verb % len(verbs)]()

    @rule(place=which)
    def wait_for_the_changeover(self, place):
        with self.tenant():
            order = PortOrder.objects.get(pk=self.keys[place])
        if order.confirmed_on:
            self.now = max(self.now, datetime.combine(order.confirmed_on, time(5, 30), tzinfo=UTC))
            self.run_the_job()

    @rule(hours=st.integers(1, 100))
    def pass_time(self, hours):
        self.now += timedelta(hours=hours)

    @rule()
    def run_the_job(self):
        with self.as_operator():
            jobs.apply_portings(at=self.now)

    # What must hold after every step.

    @invariant()
    def orders_follow_the_table_and_agree_with_the_inventory(self):
        WORLD["steps"] += 1
        with self.tenant():
            orders = [PortOrder.objects.get(pk=pk) for pk in self.keys]
            events = list(PortEvent.objects.order_by("pk").values_list("order_id", "kind", "key", "details"))
            numbers = list(PortNumber.objects.values_list("order_id", "e164", "open"))
            held = set(PhoneNumber.objects.held().values_list("e164", flat=True))
        for place, order in enumerate(orders):
            if order.state != self.states[place]:
                WORLD["moves"].add((self.states[place], order.state))
                assert (self.states[place], order.state) in ALLOWED
                if order.state == "cancelled":
                    assert (order.to_send == "cancellation") == self.told[place]
                self.states[place] = order.state
            assert order.confirmed_on is None or works(order.confirmed_on)
        dates = [date.fromisoformat(d["on"]) for _, kind, _, d in events if kind in ("date_set", "change_asked")]
        assert all(works(day) for day in dates)
        assert len({event[:3] for event in events}) == len(events)
        state_of = dict(zip(self.keys, self.states, strict=True))
        for key in self.keys:
            kinds = [kind for order, kind, _, _ in events if order == key]
            assert kinds.count("completed") == (state_of[key] == "completed")
            assert kinds.count("cancelled") == (state_of[key] == "cancelled")
        claimed = [e164 for _, e164, is_open in numbers if is_open]
        assert len(claimed) == len(set(claimed))
        for order, _, is_open in numbers:
            if state_of[order] in ("submitted", "confirmed"):
                assert is_open
            if state_of[order] in ("draft", "completed", "cancelled"):
                assert not is_open
        arrived = {e164 for order, e164, _ in numbers if state_of[order] == "completed"}
        assert arrived == held


def live(cast, as_operator, steps, number):
    """Let machines run until `steps` steps were taken; hypothesis ends some of them early."""
    WORLD.update(cast=cast, as_operator=as_operator, steps=0, done=0, moves=set())
    ports.provider()
    for again in itertools.count():
        left = steps - WORLD["steps"]
        if left <= 0:
            break
        run_state_machine_as_test(
            seed(number + again)(Porting),
            settings=settings(
                max_examples=-(-left // STEPS),
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    print(f"{WORLD['steps']} steps, {WORLD['done']} of them did something")
    print(f"moves not seen: {sorted(ALLOWED - WORLD['moves'])}")


@pytest.mark.timeout(3600)
def test_orders_follow_the_table(cast, as_operator, scale):
    live(cast, as_operator, scale(4_000), 23)

    assert len(WORLD["moves"]) >= 6


@pytest.mark.timeout(3600)
def test_orders_follow_the_table_on_a_new_path(cast, as_operator, scale):
    number = random.SystemRandom().randrange(2**32)
    print(f"random seed {number}")
    live(cast, as_operator, scale(1_000), number)
