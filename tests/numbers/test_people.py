"""Somebody is locked or leaves: nothing keeps routing to them (rule A4). And what is theirs, on a page of their own."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from numbers import assignment, forwarding, holders, jobs
from numbers.models import Assignment, Forwarding, PhoneNumber
from portal import berlin, tenancy
from portal.models import AuditEvent
from staff import members, settings
from staff.models import StaffMember
from staff.outcomes import Reason
from tests import make
from tests.conftest import NOW
from tests.numbers.confirming import said, send, statements, text, within

OVERDUE = {"state": "deactivation_scheduled", "last_active_on": date(2026, 10, 31)}


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


def give(cast, number, person, **when):
    rows = PhoneNumber.objects.locked([number.pk])
    assignment.assign(rows, staff_member=person, by=cast.alice, **{"at": NOW - timedelta(days=9)} | when)


@pytest.fixture
def scene(cast):
    """Berta with two numbers, one of which is forwarded; Curt, a colleague."""
    with within(cast.acme, cast.alice):
        first, second = make.number("+493023125010", state="active"), make.number("+493023125011", state="active")
        berta, curt = make.member("Berta Baum"), make.member("Curt Cramer")
        for number in (first, second):
            give(cast, number, berta)
        rule = {"when": "always", "destination": "+494066969010", "after_seconds": None}
        forwarding.set_rule(PhoneNumber.objects.locked([second.pk])[0], **rule, by=cast.alice, at=NOW)
        Forwarding.objects.update(changed_at=NOW - timedelta(days=1))
    return first, second, berta, curt


def test_nobody_leaves_while_a_number_is_theirs(cast, scene):
    with within(cast.acme, cast.alice):
        [outcome] = members.leave(StaffMember.objects.locked([scene[2].pk]), by=cast.alice, at=NOW)

    assert outcome.reason == Reason.HOLDS_NUMBERS


@pytest.mark.parametrize(("then", "state"), [("lock", "locked"), ("leave", "left")])
def test_release_gives_numbers_away_and_lets_the_person_go(cast, sign_in, scene, then, state):
    first, second, berta, curt = scene
    client = sign_in(cast.alice)
    page = text(client.get(f"/people/{berta.pk}/release/?then={then}"))
    assert "030 23125010" in page
    assert "030 23125011" in page

    answer = send(
        client,
        f"/people/{berta.pk}/release/",
        cast.acme,
        then=then,
        **{f"to_{first.pk}": curt.pk, f"to_{second.pk}": ""},
    )

    assert said(answer) == ["Berta Baum hat keine Rufnummern mehr."]
    with within(cast.acme, cast.alice):
        assert StaffMember.objects.get(pk=berta.pk).state == state
        held = holders.of_numbers([first.pk, second.pk], at=NOW + timedelta(seconds=1))
        assert {pk: [h.name for h in holding.present] for pk, holding in held.items()} == {first.pk: ["Curt Cramer"]}
        assert not Forwarding.objects.exists()
        assert AuditEvent.objects.filter(verb="number.unassigned").count() == 1


@pytest.mark.parametrize("act", [members.lock, members.leave])
def test_who_has_but_an_overdue_number_may_go_and_the_job_ends_it_as_planned(cast, as_operator, act):
    with within(cast.acme, cast.alice):
        number, mia = make.number(state="active"), make.member("Mia Maurer")
        give(cast, number, mia, at=NOW - timedelta(days=40))
        PhoneNumber.objects.filter(pk=number.pk).update(**OVERDUE)

        [outcome] = act(StaffMember.objects.locked([mia.pk]), by=cast.alice, at=NOW)

        assert outcome.result == "done"
    with as_operator():
        assert jobs.apply_deactivations(at=NOW).done == 1
    with within(cast.acme, cast.alice):
        assert Assignment.objects.get(staff_member=mia).until_at == berlin.inactive_from(OVERDUE["last_active_on"])


def test_release_calls_off_what_is_planned_for_the_person(cast, sign_in, scene):
    first, _second, _berta, curt = scene
    with within(cast.acme, cast.alice):
        give(cast, first, curt, at=NOW, from_at=NOW + timedelta(days=30))

    send(sign_in(cast.alice), f"/people/{curt.pk}/release/", cast.acme, then="leave")

    with within(cast.acme, cast.alice):
        assert StaffMember.objects.get(pk=curt.pk).state == "left"
        holding = holders.of_number(first, at=NOW)
        assert ([h.name for h in holding.present], holding.ahead) == (["Berta Baum"], [])
        assert holding.present[0].until_at is None


def test_release_forwards_for_some_days_and_then_no_more(cast, sign_in, scene, as_operator):
    first, second, berta, _curt = scene
    client = sign_in(cast.alice)

    send(
        client,
        f"/people/{berta.pk}/release/",
        cast.acme,
        then="leave",
        days=10,
        **{f"away_{first.pk}": "040 66969-020", f"away_{second.pk}": ""},
    )

    ends = datetime(2026, 12, 3, 23, 0, tzinfo=UTC)  # ten days after 23 November, to the end of the day in Berlin
    with within(cast.acme, cast.alice):
        assert StaffMember.objects.get(pk=berta.pk).state == "left"
        assert holders.of_numbers([first.pk, second.pk], at=NOW + timedelta(seconds=1)) == {}
        assert list(Forwarding.objects.values_list("number", "when", "destination", "until_at")) == [
            (first.pk, "always", "+494066969020", ends)
        ]
    page = text(client.get(f"/numbers/{first.pk}/"))
    assert "040 66969020, bis einschließlich 03.12.2026" in page
    for assign in (f"/numbers/{first.pk}/assign/", f"/people/hire/?numbers={first.pk}"):
        told = text(client.get(assign))
        assert "Das bleibt auch nach der Zuordnung so" in told
        assert "Immer: 040 66969020, bis einschließlich 03.12.2026" in told
    with time_machine.travel(ends, tick=False):  # whatever the job has done
        assert "040 66969020" not in text(sign_in(cast.alice).get(f"/numbers/{first.pk}/forwarding/"))
        with as_operator():
            assert jobs.end_forwardings(at=ends - timedelta(seconds=1)).done == 0
            assert jobs.end_forwardings(at=ends).done == 1
    with within(cast.acme, cast.alice):
        assert not Forwarding.objects.exists()
        event = AuditEvent.objects.get(verb="number.forwarding_removed", actor_name="end_forwardings")
        assert event.before["destination"] == "+494066969020"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"away": "112", "days": 10}, "Notrufnummern"),
        ({"away": "040 66969-020", "days": ""}, "Bitte geben Sie an, für wie viele Tage"),
        ({"away": "040 66969-020", "days": 181}, "180"),
        ({"away": "040 66969-020", "days": 10, "to": "curt"}, "nicht beides"),
        ({"away": "030 23125-010", "days": 10}, "030 23125010: Eine Rufnummer kann nicht auf sich selbst"),
    ],
    ids=["emergency", "no days", "too many days", "both", "itself"],
)
def test_release_says_at_its_field_why_calls_cannot_go_there(cast, sign_in, scene, fields, sentence):
    first, _second, berta, curt = scene
    sent = {f"away_{first.pk}": fields["away"], "days": fields["days"]}
    sent |= {f"to_{first.pk}": curt.pk} if "to" in fields else {}

    answer = send(sign_in(cast.alice), f"/people/{berta.pk}/release/", cast.acme, then="leave", **sent)

    assert answer.status_code == 422
    assert sentence in text(answer)
    with within(cast.acme, cast.alice):
        assert StaffMember.objects.get(pk=berta.pk).state == "active"
        assert len(holders.of_number(first, at=NOW).present) == 1
        assert list(Forwarding.objects.values_list("destination", flat=True)) == ["+494066969010"]


def test_release_finds_colleagues_beyond_the_first_fifty_and_keeps_what_was_chosen(cast, sign_in, scene):
    first, second, berta, curt = scene
    with within(cast.acme, cast.alice):
        for place in range(51):
            make.member(f"Anna {place:02}")
        zoe = make.member("Zoe Zimmer")
    client = sign_in(cast.alice)
    opened = client.get(f"/people/{berta.pk}/release/").content.decode()
    assert "Zoe Zimmer" not in opened
    assert 'name="look"' in opened

    fields = {"then": "lock", "q": "zimmer", "look": "1", f"to_{first.pk}": curt.pk, f"away_{second.pk}": "069 90009-1"}
    answer = send(client, f"/people/{berta.pk}/release/", cast.acme, **fields)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.count("Zoe Zimmer") == 2
    assert f'<option value="{curt.pk}" selected>' in page
    assert 'value="069 90009-1"' in page
    send(client, f"/people/{berta.pk}/release/", cast.acme, then="lock", **{f"to_{first.pk}": zoe.pk})
    with within(cast.acme, cast.alice):
        assert [h.name for h in holders.of_number(first, at=NOW + timedelta(seconds=1)).present] == ["Zoe Zimmer"]


def test_release_ends_the_persons_sessions_at_once(cast, sign_in, scene):
    with within(cast.acme, cast.alice):
        bob = make.member("Bob Brandt", user=cast.bob)
        give(cast, make.number("+493023125701", state="active"), bob)
    his = sign_in(cast.bob)
    assert his.get("/mine/").status_code == 200

    send(sign_in(cast.alice), f"/people/{bob.pk}/release/", cast.acme, then="lock")

    for path in ("/mine/", f"/mine/{bob.pk}/forwarding/", "/calls/mine/"):
        assert his.get(path).headers["Location"] == "/"  # where nothing of this company is shown any more
    assert "Acme" not in his.get("/").text


def test_release_refused_changes_nothing(cast, sign_in, scene):
    first, _second, berta, curt = scene
    with within(cast.acme, cast.alice):
        StaffMember.objects.filter(pk=curt.pk).update(state="locked")

    answer = send(
        sign_in(cast.alice), f"/people/{berta.pk}/release/", cast.acme, then="leave", **{f"to_{first.pk}": curt.pk}
    )

    assert answer.status_code == 422
    with within(cast.acme, cast.alice):
        assert StaffMember.objects.get(pk=berta.pk).state == "active"
        assert len(holders.of_number(first, at=NOW).present) == 1


def test_release_is_for_administrators_and_knows_nobody_of_another_tenant(cast, sign_in, scene):
    with tenancy.tenant_transaction(cast.globex.pk):
        stranger = make.member("Xaver Xylo")

    assert sign_in(cast.bob).get(f"/people/{scene[2].pk}/release/").status_code == 403
    for page in ("release", "numbers"):
        assert sign_in(cast.alice).get(f"/people/{stranger.pk}/{page}/").status_code == 404


def test_mine_shows_ones_own_numbers_and_nothing_else(cast, sign_in, scene):
    first, _second, _berta, _curt = scene
    client = sign_in(cast.bob)
    assert "Ihnen ist keine Rufnummer zugeordnet" in text(client.get("/mine/"))
    with within(cast.acme, cast.alice):
        bob = make.member("Bob Brandt", user=cast.bob)
        give(cast, first, bob, at=NOW - timedelta(days=1))
    assert client.get("/").headers["Location"] == "/mine/"
    one = statements(client, "/mine/")

    page = text(client.get("/mine/"))

    assert "030 23125010" in page
    assert "030 23125011" not in page
    with within(cast.acme, cast.alice):
        for number in [make.number(f"+493023125{n}", state="active") for n in (701, 702, 703)]:
            give(cast, number, bob, at=NOW)
    assert statements(client, "/mine/") == one


# What is mine I may forward, if the tenant allows it.

RULE = {"when": "always", "destination": "040 66969-010"}


@pytest.fixture
def bobs(cast, scene):
    """Bob with one number of his own and one shared fax; staff may change forwardings."""
    with within(cast.acme, cast.alice):
        bob = make.member("Bob Brandt", user=cast.bob)
        own = make.number("+493023125701", state="active")
        fax = make.number("+493023125702", state="active", usage="fax_shared")
        for number in (own, fax):
            give(cast, number, bob)
        settings.change({"edits_forwarding": True}, by=cast.alice, at=NOW)
    return own, fax


def set_own(client, cast, number, **changes):
    return send(client, f"/mine/{number.pk}/forwarding/", cast.acme, **RULE | changes)


def rules(cast, number):
    with within(cast.acme, cast.alice):
        return list(Forwarding.objects.filter(number=number).values_list("when", "destination"))


def test_own_forwarding_is_set_and_removed_with_a_trace(cast, sign_in, bobs):
    client, own = sign_in(cast.bob), bobs[0]
    assert f"/mine/{own.pk}/forwarding/" in client.get("/mine/").content.decode()

    answer = set_own(client, cast, own)

    assert answer.headers["Location"] == f"/mine/{own.pk}/forwarding/"
    assert rules(cast, own) == [("always", "+494066969010")]
    page = client.get(answer.headers["Location"]).content.decode()
    assert f'action="/mine/{own.pk}/forwarding/always/remove/"' in page
    assert f"/numbers/{own.pk}/" not in page
    send(client, f"/mine/{own.pk}/forwarding/always/remove/", cast.acme)
    assert rules(cast, own) == []
    with within(cast.acme, cast.alice):
        assert set(AuditEvent.objects.filter(actor=cast.bob).values_list("verb", flat=True)) == {
            "number.forwarded",
            "number.forwarding_removed",
        }


@pytest.mark.parametrize("destination", ["112", "030 23125-701", "a b@c"])
def test_own_forwarding_knows_the_same_refusals(cast, sign_in, bobs, destination):
    assert set_own(sign_in(cast.bob), cast, bobs[0], destination=destination).status_code == 422
    assert rules(cast, bobs[0]) == []


def test_own_forwarding_needs_the_tenants_leave(cast, sign_in, bobs):
    with within(cast.acme, cast.alice):
        settings.change({"edits_forwarding": False}, by=cast.alice, at=NOW)
    client = sign_in(cast.bob)

    assert client.get(f"/mine/{bobs[0].pk}/forwarding/").status_code == 403
    assert set_own(client, cast, bobs[0]).status_code == 403
    assert send(client, f"/mine/{bobs[0].pk}/forwarding/always/remove/", cast.acme).status_code == 403
    assert "/forwarding/" not in client.get("/mine/").content.decode()


def test_bob_reaches_nobody_elses_forwarding(cast, sign_in, scene, bobs):
    with within(cast.globex, cast.carl):
        foreign = make.number("+496990009010", area_code="69", state="active")
    with within(cast.acme, cast.alice):
        lost, later = make.numbers(2, state="active")
        bob, curt = StaffMember.objects.get(name="Bob Brandt"), StaffMember.objects.get(name="Curt Cramer")
        give(cast, lost, bob)
        give(cast, lost, curt, at=NOW - timedelta(days=1))
        give(cast, later, bob, at=NOW - timedelta(days=1), from_at=NOW + timedelta(days=9))
    client = sign_in(cast.bob)

    for number in (scene[0], scene[1], bobs[1], lost, later, foreign):
        before = rules(cast, number)
        assert client.get(f"/mine/{number.pk}/forwarding/").status_code == 404
        assert set_own(client, cast, number).status_code == 404
        assert send(client, f"/mine/{number.pk}/forwarding/always/remove/", cast.acme).status_code == 404
        assert rules(cast, number) == before
    for path in (f"/numbers/{bobs[0].pk}/forwarding/", f"/numbers/{bobs[0].pk}/", "/numbers/", "/staff/"):
        assert client.get(path).status_code == 403
