"""Who holds a number: assign, unassign, hand over later (rules A1–A3, A5–A9)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from numbers import assignment, attachments, effects, forwarding, handovers, holders, labels, swap
from numbers.models import Assignment, Forwarding, PhoneNumber, Usage
from numbers.outcomes import Outcome, Reason, Result
from portal.models import AuditEvent, OutboxMessage
from staff import settings
from staff.models import StaffMember
from tests import make

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
NEW_YEAR = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)  # the Berlin day 1 January
NAMES = ("Berta Baum", "Curt Cramer", "Dina Dorn")
DUE = date(2026, 12, 31)


@pytest.fixture
def people(acme):
    """Berta, Curt and Dina, who work at Acme."""
    return [make.member(name, email=f"{name.lower().replace(' ', '.')}@acme.example") for name in NAMES]


def locked(*numbers):
    return PhoneNumber.objects.locked([n.pk for n in numbers])


def assign(acme, member, *numbers, at=NOW, from_at=None):
    return assignment.assign(locked(*numbers), staff_member=member, from_at=from_at, by=acme.alice, at=at)


def held(number, at=NOW):
    return [holder.name for holder in holders.of_number(number, at=at).present]


def intervals(number):
    rows = Assignment.objects.filter(number=number).order_by("from_at", "pk")
    return list(rows.values_list("staff_member__name", "from_at", "until_at"))


def verbs():
    return list(AuditEvent.objects.order_by("pk").values_list("verb", flat=True))


def mails():
    return sorted(OutboxMessage.objects.values_list("recipient", "template"))


def everything():
    """All that a refused assignment must leave as it is."""
    rows = (Assignment, Forwarding, AuditEvent, OutboxMessage)
    return [list(model.objects.order_by("pk").values()) for model in rows]


def forward(acme, number, destination="+494066969010", at=NOW):
    rule = {"when": "always", "destination": destination, "after_seconds": None}
    forwarding.set_rule(locked(number)[0], **rule, by=acme.alice, at=at)


def test_assign_gives_a_number_to_a_person(acme, people):
    number = make.number(state="active")

    assert assign(acme, people[0], number) == [Outcome(number.pk, Result.DONE)]

    assert intervals(number) == [("Berta Baum", NOW, None)]
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor, event.before) == ("number.assigned", acme.alice, {})
    assert event.after["staff_member"] == "Berta Baum"
    assert mails() == [("berta.baum@acme.example", "numbers/assigned")]


def test_assign_ends_the_present_interval_where_the_new_one_begins(acme, people):
    number = make.number(state="active")
    assign(acme, people[0], number)

    assign(acme, people[1], number, at=LATER)

    assert intervals(number) == [("Berta Baum", NOW, LATER), ("Curt Cramer", LATER, None)]
    assert held(number, LATER) == ["Curt Cramer"]
    assert held(number, LATER - timedelta(microseconds=1)) == ["Berta Baum"]
    event = AuditEvent.objects.latest("pk")
    assert (event.before["staff_member"], event.after["staff_member"]) == ("Berta Baum", "Curt Cramer")
    assert mails()[-1] == ("curt.cramer@acme.example", "numbers/assigned")
    assert ("berta.baum@acme.example", "numbers/unassigned") in mails()


def test_assign_to_the_same_person_changes_nothing(acme, people):
    number = make.number(state="active")
    assign(acme, people[0], number)
    forward(acme, number)
    before = everything()

    assert assign(acme, people[0], number, at=LATER) == [Outcome(number.pk, Result.UNCHANGED, Reason.ALREADY_ASSIGNED)]
    assert everything() == before


def test_assign_removes_the_forwardings_of_the_one_who_had_it(acme, people):
    number, other = make.number(state="active"), make.number(state="active")
    forward(acme, number)
    assign(acme, people[0], number, at=NOW)
    assert Forwarding.objects.count() == 1  # what stood before anybody had it is the number's own
    forward(acme, other, number.e164)

    assign(acme, people[1], number, at=LATER)

    assert [rule.number_id for rule in Forwarding.objects.all()] == [other.pk]
    kept = AuditEvent.objects.filter(verb="number.assigned").latest("pk").before
    assert kept["forwarding"] == [{"when": "always", "destination": "+494066969010"}]


REFUSALS = [
    ({"state": "inactive"}, {}, Reason.NOT_ASSIGNABLE),
    ({"state": "port_in_pending"}, {}, Reason.PORTING),
    ({"state": "returned"}, {}, Reason.GONE),
    ({"state": "ported_out"}, {}, Reason.GONE),
    ({"state": "active"}, {"state": "locked"}, Reason.PERSON_LOCKED),
    ({"state": "active"}, {"state": "left", "left_at": NOW}, Reason.PERSON_LEFT),
]


@pytest.mark.parametrize(("number", "member", "reason"), REFUSALS)
def test_assign_refuses_and_changes_nothing(acme, number, member, reason):
    number, member = make.number(**number), make.member("Emil Ernst", **member)
    before = everything()

    [outcome] = assign(acme, member, number)

    assert outcome == Outcome(number.pk, Result.REFUSED, reason)
    assert len(outcome.sentence) > 20
    assert everything() == before


def test_assign_of_an_overdue_number_settles_it_first_and_refuses(acme, people):
    number = make.number(state="active", active_since=date(2026, 1, 1))
    assign(acme, people[0], number, at=NOW - timedelta(days=60))
    PhoneNumber.objects.update(state="deactivation_scheduled", last_active_on=date(2026, 10, 31))
    assert held(number) == []

    [outcome] = assign(acme, people[1], number)

    assert outcome.reason == Reason.NOT_ASSIGNABLE
    ended = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)
    assert intervals(number) == [("Berta Baum", NOW - timedelta(days=60), ended)]


def test_deactivation_ends_the_interval_as_planned_and_drops_what_is_ahead(acme, people):
    number = make.number(state="active")
    assign(acme, people[0], number)
    assign(acme, people[1], number, from_at=NEW_YEAR + timedelta(days=31))
    PhoneNumber.objects.update(state="deactivation_scheduled", last_active_on=DUE)
    late = NEW_YEAR + timedelta(days=40)
    assert held(number, late) == []
    assert [(h.name, h.until_at) for h in holders.history(locked(number)[0], at=late)[1]] == [("Berta Baum", NEW_YEAR)]

    effects.settle(locked(number), at=late)

    assert intervals(number) == [("Berta Baum", NOW, NEW_YEAR)]
    ended = AuditEvent.objects.get(verb="number.deactivated").before["assignment"]
    assert [kept["staff_member"] for kept in ended] == ["Berta Baum", "Curt Cramer"]
    assert ("berta.baum@acme.example", "numbers/unassigned") in mails()


def test_deactivation_says_who_loses_the_number(acme, people):
    number = make.number(state="active")
    assign(acme, people[0], number)
    assign(acme, people[1], number, from_at=NEW_YEAR)

    sentences = [hanging.sentence for hanging in attachments.describe([number], by_swap=False, at=NOW)]

    assert sentences == ["Zuordnung zu Berta Baum", "Zuordnung zu Curt Cramer ab 01.01.2027"]


def test_swap_ends_the_assignment(acme, people):
    old, new = make.number(state="active"), make.number()
    assign(acme, people[0], old)
    rows = {n.pk: n for n in locked(old, new)}

    swap.swap(rows[old.pk], rows[new.pk], by=acme.alice, at=LATER)

    assert intervals(old) == [("Berta Baum", NOW, LATER)]
    assert intervals(new) == []


def test_unassign_ends_the_interval_and_its_forwardings(acme, people):
    number = make.number(state="active")
    assign(acme, people[0], number)
    forward(acme, number)

    assert assignment.unassign(locked(number), by=acme.alice, at=LATER) == [Outcome(number.pk, Result.DONE)]

    assert intervals(number) == [("Berta Baum", NOW, LATER)]
    assert not Forwarding.objects.exists()
    assert verbs()[-1] == "number.unassigned"
    assert ("berta.baum@acme.example", "numbers/unassigned") in mails()


def test_unassign_of_somebody_who_has_it_not_changes_nothing(acme, people):
    number = make.number(state="active")
    assign(acme, people[0], number)
    before = everything()

    found = assignment.unassign(locked(number), staff_member=people[1], by=acme.alice, at=LATER)

    assert found == [Outcome(number.pk, Result.UNCHANGED, Reason.NOT_ASSIGNED)]
    assert everything() == before


def test_a_shared_fax_has_many_holders_each_of_whom_can_go(acme, people):
    number = make.number(state="active", usage="fax_shared")
    for member in people:
        assign(acme, member, number)
    assert held(number) == ["Berta Baum", "Curt Cramer", "Dina Dorn"]

    assignment.unassign(locked(number), staff_member=people[1], by=acme.alice, at=LATER)

    assert held(number, LATER) == ["Berta Baum", "Dina Dorn"]


def change_usage(acme, number, usage):
    return labels.change(locked(number)[0], label="", note="", usage=usage, by=acme.alice, at=LATER)


def test_usage_becomes_shared_and_personal_again_only_with_one_holder(acme, people):
    number = make.number(state="active", usage="fax_personal")
    assign(acme, people[0], number)

    assert change_usage(acme, number, Usage.FAX_SHARED).result == Result.DONE
    assign(acme, people[1], number, at=LATER)
    assert change_usage(acme, number, Usage.FAX_PERSONAL).reason == Reason.SEVERAL_HOLDERS
    assignment.unassign(locked(number), staff_member=people[0], by=acme.alice, at=LATER)
    assert change_usage(acme, number, Usage.FAX_PERSONAL).result == Result.DONE

    assert Assignment.objects.get(number=number, until_at=None).shared is False


def test_usage_stays_while_a_handover_is_planned(acme, people):
    number = make.number(state="active", usage="fax_personal")
    assign(acme, people[0], number, from_at=NEW_YEAR)

    assert change_usage(acme, number, Usage.FAX_SHARED).reason == Reason.HANDOVER_AHEAD


# --- dated hand-over (A9) ---


@pytest.fixture
def planned(acme, people):
    """A number that Berta has and Curt gets at the new year."""
    number = make.number(state="active")
    assign(acme, people[0], number, at=NOW - timedelta(days=5))
    forward(acme, number)
    assign(acme, people[1], number, from_at=NEW_YEAR)
    return number


def test_handover_leaves_the_number_where_it_is_until_its_day(acme, planned):
    assert held(planned, NEW_YEAR - timedelta(seconds=1)) == ["Berta Baum"]
    assert held(planned, NEW_YEAR) == ["Curt Cramer"]
    assert [h.name for h in holders.of_number(planned, at=NOW).ahead] == ["Curt Cramer"]
    assert verbs()[-1] == "number.handover_planned"
    assert mails() == [("berta.baum@acme.example", "numbers/assigned")]


@pytest.mark.parametrize("late", [0, 3, 40])
def test_handover_settles_as_planned_however_late(acme, planned, late):
    at = NEW_YEAR + timedelta(days=late)

    assert handovers.settle(locked(planned), at=at) == 1

    assert [row[1:] for row in intervals(planned)] == [(NOW - timedelta(days=5), NEW_YEAR), (NEW_YEAR, None)]
    assert not Forwarding.objects.exists()
    event = AuditEvent.objects.latest("pk")
    assert (event.verb, event.actor_name, event.at) == ("number.assigned", "apply_handovers", at)
    assert event.after["from_on"] == "2027-01-01"
    assert mails()[1:] == [
        ("berta.baum@acme.example", "numbers/unassigned"),
        ("curt.cramer@acme.example", "numbers/assigned"),
    ]
    assert handovers.settle(locked(planned), at=at) == 0


def test_handover_keeps_what_the_new_holder_set_up_before_the_late_job(acme, planned):
    at = NEW_YEAR + timedelta(hours=2)
    forward(acme, planned, "+494066969011", at=NEW_YEAR + timedelta(hours=1))

    handovers.settle(locked(planned), at=at)

    assert Forwarding.objects.get().destination == "+494066969011"


def test_handover_can_be_moved_and_given_to_somebody_else(acme, people, planned):
    other_day = NEW_YEAR + timedelta(days=31)

    assert assign(acme, people[2], planned, from_at=other_day, at=LATER)[0].result == Result.DONE

    assert held(planned, NEW_YEAR) == ["Berta Baum"]
    assert held(planned, other_day) == ["Dina Dorn"]
    assert Assignment.objects.filter(number=planned).count() == 2


def test_handover_planned_twice_is_unchanged(acme, people, planned):
    assert assign(acme, people[1], planned, from_at=NEW_YEAR)[0].reason == Reason.ALREADY_PLANNED


def test_handover_withdrawn_lets_the_present_holder_go_on(acme, planned):
    before = Forwarding.objects.count()

    assert assignment.withdraw_handover(locked(planned), by=acme.alice, at=LATER)[0].result == Result.DONE

    assert intervals(planned) == [("Berta Baum", NOW - timedelta(days=5), None)]
    assert Forwarding.objects.count() == before
    assert verbs()[-1] == "number.handover_withdrawn"
    again = assignment.withdraw_handover(locked(planned), by=acme.alice, at=LATER)
    assert again == [Outcome(planned.pk, Result.UNCHANGED, Reason.NO_HANDOVER)]


def test_handover_stays_when_the_number_goes_to_a_third_person_meanwhile(acme, people, planned):
    assign(acme, people[2], planned, at=LATER)

    assert held(planned, LATER) == ["Dina Dorn"]
    assert held(planned, NEW_YEAR) == ["Curt Cramer"]


def test_handover_brought_forward_is_an_assignment(acme, people, planned):
    assign(acme, people[1], planned, at=LATER)

    assert [row[0] for row in intervals(planned)] == ["Berta Baum", "Curt Cramer"]
    assert held(planned, NEW_YEAR) == held(planned, LATER) == ["Curt Cramer"]


def test_handover_after_the_last_active_day_is_refused(acme, people):
    number = make.number(state="deactivation_scheduled", last_active_on=DUE)

    assert assign(acme, people[0], number, from_at=NEW_YEAR)[0].reason == Reason.INACTIVE_BY_THEN
    assert assign(acme, people[0], number, from_at=NEW_YEAR - timedelta(days=1))[0].result == Result.DONE


def test_assign_that_waited_for_another_begins_after_it(acme, people):
    number = make.number(state="active")
    assign(acme, people[0], number, at=LATER)

    assign(acme, people[1], number, at=NOW)  # read the clock first, got the lock last

    (_, first, ended), (_, begun, until) = intervals(number)
    assert (first, ended, until) == (LATER, begun, None)
    assert first < begun < LATER + timedelta(seconds=1)


def test_assign_tells_nobody_if_the_tenant_does_not_want_it(acme, people):
    settings.change({"mails_on_assignment": False}, by=acme.alice, at=NOW)

    assign(acme, people[0], make.number(state="active"))

    assert mails() == []


def test_assign_of_many_needs_no_more_statements_than_of_few(acme, people, django_assert_max_num_queries):
    few, many = make.numbers(2, state="active"), make.numbers(30, state="active")
    for numbers in (few, many):
        assign(acme, people[0], *numbers)
        rows = locked(*numbers)
        with django_assert_max_num_queries(16):
            assignment.assign(rows, staff_member=people[1], by=acme.alice, at=LATER)
    assert StaffMember.objects.count() == 3
