"""Two thousand due deactivations while workers are killed, Redis is flushed and PostgreSQL crashes (R1)."""

import random
import subprocess
import time
from datetime import date

import pytest

from tests.chaos import stack as chaos

EVENTS = "SELECT count(*) FROM portal_auditevent WHERE verb = 'number.deactivated'"


def done(stack):
    return stack.query(EVENTS)[0][0]


def check(stack, planned, slots, count):
    """0 lost, 0 double, 0 wrong date, 0 touched that was not due."""
    events = stack.query(
        "SELECT object_id, before->>'last_active_on', after->>'inactive_from' FROM portal_auditevent"
        " WHERE verb = 'number.deactivated'"
    )
    assert len(events) == len({number for number, *_ in events}) == count
    booked = {number: date.fromisoformat(day) for number, day, _ in events}
    assert booked == planned
    assert all(
        date.fromisoformat(day).toordinal() + 1 == date.fromisoformat(after).toordinal() for _, day, after in events
    )
    states = dict(stack.query("SELECT state, count(*) FROM numbers_phonenumber GROUP BY state"))
    assert states == {"inactive": count, "deactivation_scheduled": count}
    assert stack.query("SELECT label, from_on, until_on FROM billing_slot ORDER BY id") == slots
    assert stack.query(
        "SELECT count(*) FROM numbers_forwarding f JOIN numbers_phonenumber n ON n.id = f.number_id"
        " WHERE n.state = 'inactive'"
    ) == [(0,)]
    assert stack.query("SELECT sum(done) FROM portal_jobrun WHERE job = 'apply_deactivations'") == [(count,)]
    # Each number is in exactly one notice to its administrator.
    assert stack.query("SELECT sum((context->>'count')::int) FROM portal_outboxmessage") == [(count,)]


@pytest.mark.timeout(900)
def test_kills_flushes_and_a_database_crash_lose_and_double_nothing(ground, scale):
    seed = time.time_ns() % 1_000_000
    print(f"seed {seed}")
    dice, count, kills = random.Random(seed), scale(2_000), max(3, scale(30))
    with chaos.running(ground) as stack:
        chaos.populate(stack, count)
        planned = dict(
            stack.query("SELECT id, last_active_on FROM numbers_phonenumber WHERE last_active_on < '2026-11-23'")
        )
        slots = stack.query("SELECT label, from_on, until_on FROM billing_slot ORDER BY id")
        assert len(planned) == count

        killed_at = []
        for round in range(kills):
            before = done(stack)
            worker = stack.worker(slow=True)
            chaos.until(lambda: done(stack) > before or before == count, seconds=60, what="the worker starts")  # noqa: B023
            time.sleep(dice.uniform(0, 1))
            if round % 7 == 1:
                stack.redis(b"FLUSHALL")
            if round == kills // 2:
                stack.servers.postgres.restart(immediate=True)
                time.sleep(dice.uniform(0, 0.3))
            chaos.kill(worker)
            killed_at.append(done(stack))
        print(f"done at each kill: {killed_at}")
        assert killed_at[0] < count

        # A whole worker, two beats and two commands at once finish it.
        stack.worker()
        hurry = {"PORTAL_JOB_SECONDS": "1"}
        stack.beat(**hurry)
        stack.beat(**hurry)
        commands = [
            subprocess.Popen(
                [chaos.sys.executable, "manage.py", "apply_deactivations"],
                cwd=chaos.ROOT,
                env=stack.env("worker"),
                stdout=subprocess.DEVNULL,
            )
            for _ in range(2)
        ]
        for command in commands:
            command.wait(120)
        chaos.until(lambda: done(stack) == count, seconds=60, what=f"the rest\n{stack.log()}")
        time.sleep(2)  # whoever would do something twice has the time to

        check(stack, planned, slots, count)
