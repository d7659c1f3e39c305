"""Purge: exactly one number's calls of one person's interval, what is shown is what goes (rules T1–T4)."""

from datetime import date, timedelta

import pytest

from numbers import disputes, purge, totals
from numbers.models import CallRecord, PhoneNumber, Purge, UsageTotal
from portal.models import AuditEvent
from tests import calling, make
from tests.conftest import NOW


@pytest.fixture
def held(acme):
    """Return (number, assignment of Paula from 20 days ago on), with calls around and within the interval."""
    calling.make_months()
    number, other = make.number("+493023125010", state="active"), make.number("+493023125011", state="active")
    before, paula = calling.person("Before Bauer"), calling.person()
    calling.assign(number, before, calling.days_ago(60), calling.days_ago(20))
    calling.assign(other, paula, calling.days_ago(60))
    assignment = calling.assign(number, paula, calling.days_ago(20))
    calling.take(
        calling.line(number, calling.days_ago(20) - timedelta(microseconds=1)),
        calling.line(number, calling.days_ago(20), talk=10, cost_micro=1),
        calling.line(number, calling.days_ago(3), talk=20, cost_micro=2),
        calling.line(other, calling.days_ago(3)),
    )
    return number, assignment


def act(held, cast, **changes):
    number, assignment = held
    (locked,) = PhoneNumber.objects.locked([number.pk])
    said = {"count_seen": 2, "notice": purge.NOTICE, "by": cast.alice, "at": NOW} | changes
    return purge.purge(locked, assignment, **said)


def test_preview_counts_what_purge_deletes(held, acme):
    shown = purge.preview(held[1], at=NOW)

    assert (shown.count, shown.first_at, shown.last_at) == (2, calling.days_ago(20), calling.days_ago(3))
    assert (shown.from_at, shown.until_at, shown.refusal) == (calling.days_ago(20), NOW, "")
    assert act(held, acme, count_seen=shown.count).count == shown.count
    assert purge.preview(held[1], at=NOW).count == 0


def test_purge_deletes_exactly_the_interval(held, acme):
    kept = set(CallRecord.objects.exclude(number=held[0], holder=held[1].staff_member).values_list("pk", flat=True))

    act(held, acme)

    assert set(CallRecord.objects.values_list("pk", flat=True)) == kept
    assert len(kept) == 2


def test_purge_totals_usage_without_peers(held, acme):
    act(held, acme)

    rows = list(UsageTotal.objects.values_list("number", "month", "calls", "talk_seconds", "cost_micro"))
    assert rows == [(held[0].pk, date(2026, 11, 1), 2, 30, 3)]
    assert totals.of_number(held[0].pk, date(2026, 11, 1)) == totals.Usage(3, 90, 20_003)


def test_purge_leaves_who_accepted_which_notice_and_no_called_number(held, acme):
    peers = list(CallRecord.objects.values_list("peer", flat=True))

    act(held, acme)

    row = Purge.objects.get()
    assert (row.count, row.notice, row.by, row.at) == (2, purge.NOTICE, acme.alice, NOW)
    event = AuditEvent.objects.get(verb="calls.purged")
    assert (event.object_id, event.after["count"], event.actor_id) == (held[0].pk, 2, acme.alice.pk)
    assert not [peer for peer in peers if peer in str(event.after) + str(event.before) + event.object_label]


def test_purge_after_the_interval_was_ended_deletes_the_same(held, acme):
    held[1].until_at = NOW
    held[1].save()

    assert act(held, acme).count == 2


@pytest.mark.parametrize("whole_month", [True, False])
def test_purge_is_refused_while_a_dispute_is_open(held, acme, as_operator, whole_month):
    number = None if whole_month else held[0]
    with as_operator():
        dispute = disputes.open_(
            tenant_id=acme.acme.pk, number=number, month=date(2026, 11, 1), reason="x", by=acme.olga, at=NOW
        )

    assert purge.preview(held[1], at=NOW).refusal
    with pytest.raises(purge.Disputed):
        act(held, acme)
    assert CallRecord.objects.count() == 4
    assert not Purge.objects.exists()

    with as_operator():
        disputes.close([dispute], by=acme.olga, at=NOW)
    assert act(held, acme).count == 2


def test_purge_is_not_refused_for_the_dispute_of_another_number_or_month(held, acme, as_operator):
    other = PhoneNumber.objects.get(e164="+493023125011")
    with as_operator():
        for number, month in ((other, date(2026, 11, 1)), (held[0], date(2026, 10, 1))):
            disputes.open_(tenant_id=acme.acme.pk, number=number, month=month, reason="x", by=acme.olga, at=NOW)

    assert act(held, acme).count == 2


def test_purge_asks_again_when_a_call_came_in_meanwhile(held, acme):
    calling.take(calling.line(held[0], calling.days_ago(1)))

    with pytest.raises(purge.CountChanged) as refused:
        act(held, acme)

    assert refused.value.count == 3
    assert CallRecord.objects.count() == 5
    assert not UsageTotal.objects.exists()


def test_purge_asks_again_when_the_notice_changed(held, acme):
    with pytest.raises(purge.NoticeChanged):
        act(held, acme, notice="2020-01")

    assert CallRecord.objects.count() == 4


# --- disputes ---


def test_a_dispute_is_opened_once_and_closed_once(held, acme, as_operator):
    said = {"tenant_id": acme.acme.pk, "number": held[0], "reason": "wrong", "by": acme.olga, "at": NOW}
    with as_operator():
        row = disputes.open_(month=date(2026, 10, 17), **said)
        assert row.month == date(2026, 10, 1)
        with pytest.raises(disputes.DisputeRefused):
            disputes.open_(month=date(2026, 10, 1), **said)
        with pytest.raises(disputes.DisputeRefused):
            disputes.open_(month=date(2026, 12, 1), **said)

        assert disputes.close([row], by=acme.olga, at=NOW) == 1
        row.refresh_from_db()
        assert disputes.close([row], by=acme.olga, at=NOW) == 0

        verbs = list(AuditEvent.objects.filter(object_type="dispute").order_by("pk").values_list("verb", flat=True))
    assert verbs == ["dispute.opened", "dispute.closed"]


def test_a_dispute_is_not_opened_over_another_tenants_number(held, acme, as_operator):
    with as_operator(), pytest.raises(disputes.DisputeRefused):
        disputes.open_(
            tenant_id=acme.globex.pk, number=held[0], month=date(2026, 10, 1), reason="x", by=acme.olga, at=NOW
        )
