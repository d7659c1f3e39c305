"""Bulk runs while their workers are killed (rule R1)."""

import random
import sys
import time

import pytest

from tests.chaos import stack as chaos

CONTINUE = """
import time
import django
django.setup()
from django.db.backends.signals import connection_created
from django.utils import timezone
from numbers import bulk
bulk.CHUNK = 15
def slowly(execute, *call):
    result = execute(*call)
    time.sleep(0.002)
    return result
connection_created.connect(lambda connection, **_: connection.execute_wrappers.append(slowly), weak=False)
print(bulk.continue_open(at=timezone.now()), flush=True)
"""


def _handled(stack):
    return stack.query("SELECT sum(handled) FROM numbers_bulkrun")[0][0]


@pytest.mark.timeout(900)
def test_a_worker_killed_at_any_point_loses_and_doubles_nothing(scale):
    count, dice = scale(2_000), random.Random(23)
    with chaos.ground() as own, chaos.running(own) as stack:
        chaos.populate(stack, count)
        stack.query(
            "UPDATE numbers_phonenumber SET state = 'inactive', last_active_on = NULL, active_since = NULL;"
            "DELETE FROM billing_slot;"
            "INSERT INTO billing_price (price_class, valid_from, monthly, order_fee, vat_rate)"
            " VALUES ('standard', '2020-01-01', 2.90, 4.90, 19.0), ('premium', '2020-01-01', 4.90, 4.90, 19.0);"
            "INSERT INTO numbers_bulkrun (tenant_id, verb, by_id, parameters, total, handled, created_at) SELECT"
            " tenant_id, 'activate', (SELECT min(user_id) FROM portal_membership m WHERE m.tenant_id = n.tenant_id),"
            ' \'{"prices": {"standard": "2.90", "premium": "4.90"}}\', count(*), 0, now() FROM numbers_phonenumber n'
            " GROUP BY tenant_id;"
            "INSERT INTO numbers_bulkitem (tenant_id, run_id, number_id, outcome, reason)"
            " SELECT n.tenant_id, r.id, n.id, '', '' FROM numbers_phonenumber n"
            " JOIN numbers_bulkrun r USING (tenant_id)"
        )
        total = stack.query("SELECT count(*) FROM numbers_phonenumber")[0][0]
        handled_at = []
        for _kill in range(max(4, scale(40))):
            before = _handled(stack)
            workers = [stack.start([sys.executable, "-W", "ignore", "-c", CONTINUE], "worker") for _ in range(2)]
            chaos.until(lambda: _handled(stack) > before or before == total, seconds=60, what="the worker")  # noqa: B023
            time.sleep(dice.uniform(0, 0.4))
            for worker in workers:
                chaos.kill(worker)
            handled_at.append(_handled(stack))
        print(f"handled at each kill: {handled_at}")
        assert stack.start([sys.executable, "-W", "ignore", "-c", CONTINUE], "worker").wait(300) == 0

        assert stack.query("SELECT outcome, count(*) FROM numbers_bulkitem GROUP BY outcome") == [("done", total)]
        assert stack.query("SELECT count(*), count(DISTINCT object_id) FROM portal_auditevent") == [(total, total)]
        assert stack.query("SELECT count(*), count(DISTINCT label) FROM billing_slot") == [(total, total)]
        assert stack.query("SELECT sum(total) - sum(handled) FROM numbers_bulkrun") == [(0,)]
        assert stack.query("SELECT count(*), count(DISTINCT tenant_id) FROM portal_outboxmessage") == [(3, 3)]
