from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from numbers import assignment
from numbers.models import Assignment, Forwarding, PhoneNumber
from portal import tenancy
from portal.models import AuditEvent, OutboxMessage
from staff.models import StaffMember
from tests import make
from tests.conftest import NOW
from tests.numbers.confirming import DIALOG, said, send, statements, text, within


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def scene(cast):
    """An active number that Berta has, and Curt, who is to get it."""
    with within(cast.acme, cast.alice):
        number = make.number("+493023125012", state="active", label="Empfang")
        berta = make.member("Berta Baum", email="berta@acme.example")
        curt = make.member("Curt Cramer", email="curt@acme.example")
        rows = PhoneNumber.objects.locked([number.pk])
        assignment.assign(rows, staff_member=berta, by=cast.alice, at=NOW - timedelta(days=30))
    return number, berta, curt


def url(number, verb="assign"):
    return f"/numbers/{number.pk}/{verb}/"


def intervals(cast, number):
    with within(cast.acme, cast.alice):
        rows = Assignment.objects.filter(number=number).order_by("from_at")
        return [(a.staff_member.name, a.from_at, a.until_at) for a in rows]


def test_assign_page_says_who_has_the_number_before_it_asks_for_another(cast, sign_in, scene):
    number, _berta, curt = scene

    page = text(sign_in(cast.alice).get(url(number)))

    order = ["Momentan nutzt Berta Baum diese Rufnummer, seit dem 24.10.2026", "Rufnummer zuordnen an", "Speichern"]
    places = [page.index(" ".join(part.split())) for part in ("Momentan nutzt", order[1], order[2])]
    assert places == sorted(places)
    assert "Curt Cramer" in page
    assert "Berta Baum · " not in page  # nobody assigns it to the one who has it
    assert curt.email in page


def test_assign_gives_the_number_and_confirms(cast, sign_in, scene):
    number, _berta, curt = scene

    answer = send(sign_in(cast.alice), url(number), cast.acme, to=curt.pk)

    assert answer.status_code == 302
    assert said(answer) == ["030 23125012 ist jetzt Curt Cramer zugeordnet."]
    assert intervals(cast, number)[1:] == [("Curt Cramer", NOW, None)]
    with within(cast.acme, cast.alice):
        assert AuditEvent.objects.filter(verb="number.assigned", actor=cast.alice).count() == 2
        assert OutboxMessage.objects.filter(recipient=curt.email).count() == 1


def test_assign_in_the_list_answers_the_fresh_row(cast, sign_in, scene):
    number, _berta, curt = scene

    answer = send(sign_in(cast.alice), url(number), cast.acme, to=curt.pk, headers=DIALOG)

    page = answer.content.decode()
    assert f"id=row-{number.pk} " in page
    assert "Curt Cramer" in page
    assert answer.headers["HX-Trigger"] == '{"dialog:close": {}}' or "dialog:close" in answer.headers["HX-Trigger"]


def test_assign_sent_twice_counts_once(cast, sign_in, scene):
    number, _berta, curt = scene
    client = sign_in(cast.alice)
    fields = {"to": curt.pk, "operation_id": "00000000-0000-4000-8000-000000000001"}

    answers = [send(client, url(number), cast.acme, **fields) for _ in range(2)]

    assert [said(answer)[-1] for answer in answers] == ["030 23125012 ist jetzt Curt Cramer zugeordnet."] * 2
    assert len(intervals(cast, number)) == 2


def test_assign_to_nobody_takes_it_back(cast, sign_in, scene):
    number, *_ = scene

    answer = send(sign_in(cast.alice), url(number), cast.acme, to="nobody")

    assert said(answer) == ["030 23125012 ist niemandem mehr zugeordnet."]
    assert intervals(cast, number)[0][2] == NOW


def test_assign_later_plans_a_handover_that_is_shown_and_can_be_withdrawn(cast, sign_in, scene):
    number, _berta, curt = scene
    client = sign_in(cast.alice)

    answer = send(client, url(number), cast.acme, to=curt.pk, from_on="2027-01-01")

    assert said(answer) == ["030 23125012 wird am 01.01.2027 an Curt Cramer übergeben."]
    assert "ab 01.01.2027 Curt Cramer" in text(client.get("/numbers/"))
    assert "ab 01.01.2027" in text(client.get(f"/numbers/{number.pk}/"))
    gone = send(client, url(number, "handover/withdraw"), cast.acme)
    assert said(gone)[-1] == "Die Übergabe von 030 23125012 wurde zurückgenommen."
    assert intervals(cast, number) == [("Berta Baum", NOW - timedelta(days=30), None)]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Bitte wählen Sie aus, wer die Rufnummer erhält."),
        ({"to": "1", "from_on": "2026-11-23"}, "Bitte wählen Sie einen Tag nach heute"),
        ({"to": "1", "from_on": "2031-01-01"}, "innerhalb der nächsten zwei Jahre"),
        ({"to": "nobody", "from_on": "2027-01-01"}, "kann nur sofort aufgehoben werden"),
    ],
)
def test_assign_says_what_is_missing_and_changes_nothing(cast, sign_in, scene, fields, sentence):
    number, *_ = scene
    before = intervals(cast, number)

    answer = send(sign_in(cast.alice), url(number), cast.acme, **fields)

    assert answer.status_code == 422
    assert sentence in text(answer)
    assert intervals(cast, number) == before


def test_assign_to_a_locked_person_or_of_an_inactive_number_is_refused_with_the_next_step(cast, sign_in, scene):
    number, _berta, curt = scene
    with within(cast.acme, cast.alice):
        StaffMember.objects.filter(pk=curt.pk).update(state="locked")
        inactive = make.number("+493023125013")
    client = sign_in(cast.alice)

    locked = send(client, url(number), cast.acme, to=curt.pk)
    asleep = send(client, url(inactive), cast.acme, to=_berta.pk)

    assert (locked.status_code, asleep.status_code) == (422, 422)
    assert "Entsperren Sie ihn zuerst" in text(locked)
    assert "Aktivieren Sie die Rufnummer zuerst" in text(asleep)


def test_assign_is_for_administrators_and_knows_no_foreign_rows(cast, sign_in, scene):
    number, *_ = scene
    with tenancy.tenant_transaction(cast.globex.pk):
        stranger, foreign = make.member("Xaver Xylo"), make.number("+496990009013", area_code="69", state="active")

    assert send(sign_in(cast.bob), url(number), cast.acme, to=stranger.pk).status_code == 403
    assert send(sign_in(cast.dora), url(number), cast.acme, to=stranger.pk).status_code == 403
    client = sign_in(cast.alice)
    assert send(client, url(number), cast.acme, to=stranger.pk).status_code == 404
    assert send(client, url(foreign), cast.acme, to=stranger.pk).status_code == 404
    assert client.get(url(number, "unassign")).status_code == 405
    assert "Xaver" not in client.get(url(number) + "?q=xaver").content.decode().replace('value="xaver"', "")


def test_assign_search_narrows_the_people(cast, sign_in, scene):
    number, *_ = scene
    with within(cast.acme, cast.alice):
        make.member("Jürgen Jäger", sort_key="jurgen jager", department="Lager")
    client = sign_in(cast.alice)

    for term in ("jäger", "JUERGEN"[:1], "lager"):
        assert "Jürgen Jäger" in text(client.get(url(number), {"q": term}))
    found = text(client.get(url(number), {"q": "lager", "part": "people"}, headers=DIALOG))
    assert "Jürgen Jäger" in found
    assert "Curt" not in found


def test_unassign_takes_a_shared_fax_from_one_of_many(cast, sign_in, scene):
    _number, berta, curt = scene
    with within(cast.acme, cast.alice):
        fax = make.number("+493023125014", state="active", usage="fax_shared")
        for member in (berta, curt):
            rows = PhoneNumber.objects.locked([fax.pk])
            assignment.assign(rows, staff_member=member, by=cast.alice, at=NOW - timedelta(days=1))
    client = sign_in(cast.alice)
    assert text(client.get(url(fax))).count("Momentan nutzt") == 2

    answer = send(client, url(fax, "unassign"), cast.acme, member=curt.pk)

    assert said(answer) == ["030 23125014 ist Curt Cramer nicht mehr zugeordnet."]
    assert [row[0] for row in intervals(cast, fax) if row[2] is None] == ["Berta Baum"]


def test_overview_finds_and_filters_by_person(cast, sign_in, scene):
    _number, berta, _curt = scene
    with within(cast.acme, cast.alice):
        make.number("+493023125015", state="active", label="Lager")
        make.number("+493023125016")
        make.number("+493023125017", state="deactivation_scheduled", last_active_on=date(2026, 10, 31))
    client = sign_in(cast.alice)

    def shown(query):
        page = client.get(f"/numbers/{query}").content.decode()
        return sorted(e for e in ("012", "015", "016", "017") if f"23125{e}</a>" in page)

    assert shown("?q=berta") == shown("?q=baum+empfang") == shown("?assigned=yes") == ["012"]
    assert shown(f"?assigned={berta.pk}") == shown(f"?assigned={berta.pk}&state=active") == ["012"]
    assert shown("?assigned=no") == ["015"]
    assert shown("?q=baum+lager") == []


def test_overview_and_number_page_need_the_same_statements_for_one_and_many_holders(cast, sign_in, scene):
    number, berta, _curt = scene
    client = sign_in(cast.alice)
    client.get("/numbers/")
    asked = [statements(client, "/numbers/"), statements(client, "/numbers/?q=berta"), statements(client, url(number))]
    with within(cast.acme, cast.alice):
        for row in make.numbers(3, state="active"):
            assignment.assign(PhoneNumber.objects.locked([row.pk]), staff_member=berta, by=cast.alice, at=NOW)

    again = [statements(client, "/numbers/"), statements(client, "/numbers/?q=berta"), statements(client, url(number))]

    assert again == asked
    assert max(asked) <= 12


def test_export_names_the_holders(cast, sign_in, scene):
    content = b"".join(sign_in(cast.alice).get("/numbers/export.csv").streaming_content).decode()

    assert "Zugeordnet" in content.splitlines()[0]
    assert content.splitlines()[1].endswith(";Berta Baum")


@pytest.mark.parametrize(("state", "sentence"), [("locked", "gesperrt"), ("left", "gehört nicht mehr zu Ihrem")])
def test_assign_to_somebody_who_cannot_have_it_says_so_at_the_select(cast, sign_in, scene, state, sentence):
    number, _berta, curt = scene
    with within(cast.acme, cast.alice):
        left = {"left_at": NOW} if state == "left" else {}
        StaffMember.objects.filter(pk=curt.pk).update(state=state, **left)

    answer = send(sign_in(cast.alice), url(number), cast.acme, to=curt.pk)

    assert answer.status_code == 422
    page = answer.content.decode()
    error = page[page.index('id="id_to_error"') :]
    assert sentence in " ".join(error[:600].split())
    assert len(intervals(cast, number)) == 1


def test_handover_to_a_day_on_which_the_number_is_inactive_says_so_at_the_day(cast, sign_in, scene):
    number, _berta, curt = scene
    with within(cast.acme, cast.alice):
        PhoneNumber.objects.filter(pk=number.pk).update(
            state="deactivation_scheduled", last_active_on=date(2026, 12, 31)
        )

    answer = send(sign_in(cast.alice), url(number), cast.acme, to=curt.pk, from_on="2027-01-15")

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Vormerkung" in page[page.index('id="id_from_on_error"') :][:600]
    assert len(intervals(cast, number)) == 1


@pytest.mark.parametrize("until", [None, datetime(2026, 12, 3, 23, tzinfo=UTC)])
def test_assign_of_a_forwarded_number_says_how_long_that_stays(cast, sign_in, scene, until):
    with within(cast.acme, cast.alice):
        free = make.number("+493023125019", state="active")
        rule = {"when": "always", "destination": "+494066969001", "changed_at": NOW, "until_at": until}
        Forwarding.objects.create(number=free, **rule)

    page = text(sign_in(cast.alice).get(url(free)))

    assert "bis es bei der Rufnummer geändert wird" in page
    assert ("oder bis zum genannten Tag" in page, "bis einschließlich 03.12.2026" in page) == (bool(until),) * 2


def test_assign_of_an_inactive_number_offers_no_form_and_says_what_to_do(cast, sign_in, scene):
    with within(cast.acme, cast.alice):
        inactive = make.number("+493023125019")
    client = sign_in(cast.alice)

    assert "Aktivieren Sie die Rufnummer zuerst" in text(client.get(url(inactive)))
    answer = send(client, url(inactive), cast.acme, to=scene[2].pk)

    assert answer.status_code == 422
    assert "Aktivieren Sie die Rufnummer zuerst" in text(answer)
    assert intervals(cast, inactive) == []
