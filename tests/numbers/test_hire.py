"""A new staff member with numbers: one form, one transaction, the purge offered where somebody has the number."""

import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
import time_machine

from numbers import assignment, holders, purge
from numbers.models import Assignment, CallRecord, PhoneNumber, Purge
from portal.models import AuditEvent, OutboxMessage
from staff.models import Invitation, StaffMember
from tests import calling, make
from tests.conftest import NOW
from tests.numbers.confirming import DIALOG, said, send, statements, text, within

URL = "/people/hire/"


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def scene(cast):
    """A number of nobody, one that Paula has with two calls, and an inactive one."""
    with within(cast.acme, cast.alice):
        calling.make_months()
        free = make.number("+493023125010", state="active", label="Empfang")
        held = make.number("+493023125011", state="active")
        inactive = make.number("+493023125012")
        paula = make.member("Paula Peters")
        rows = PhoneNumber.objects.locked([held.pk])
        assignment.assign(rows, staff_member=paula, by=cast.alice, at=calling.days_ago(20))
        interval = Assignment.objects.get(number=held)
        for days in (19, 3):
            calling.take(calling.line(held, calling.days_ago(days), talk=10, cost_micro=1))
    return free, held, inactive, interval


def holding(cast, number):
    with within(cast.acme, cast.alice):
        return [holder.name for holder in holders.of_number(number, at=NOW + timedelta(seconds=1)).present]


def test_page_offers_active_numbers_and_says_who_has_them(cast, sign_in, scene):
    page = text(sign_in(cast.alice).get(URL))

    assert page.index("030 23125010") < page.index("030 23125011")  # nobody's first
    assert "zurzeit bei Paula Peters" in page
    assert "030 23125012" not in page


def test_hire_creates_invites_and_assigns_in_one_act(cast, sign_in, scene):
    free, *_ = scene
    person = {"name": "Nina Neu", "email": "nina@acme.example", "access": "staff", "language": "de"}

    answer = send(sign_in(cast.alice), URL, cast.acme, **person, numbers=[free.pk])

    with within(cast.acme, cast.alice):
        nina = StaffMember.objects.get(name="Nina Neu")
        assert answer.headers["Location"] == f"/staff/{nina.pk}/"
        assert Invitation.objects.filter(member=nina, revoked_at=None).count() == 1
        found = AuditEvent.objects.filter(verb__in=["staff.added", "number.assigned", "staff.invited"], at=NOW)
        assert found.count() == 3
        assert set(OutboxMessage.objects.filter(recipient="nina@acme.example").values_list("template", flat=True)) == {
            "staff/invitation",
            "numbers/assigned",
        }
    assert said(answer) == ["Nina Neu wurde angelegt und eingeladen. Eine Rufnummer ist zugeordnet."]
    assert holding(cast, free) == ["Nina Neu"]


def test_hire_with_somebody_elses_number_names_them_first(cast, sign_in, scene):
    _free, held, *_ = scene

    answer = send(sign_in(cast.alice), URL, cast.acme, name="Nina Neu", language="de", numbers=[held.pk])

    assert answer.status_code == 422
    page = text(answer)
    assert "Momentan nutzt Paula Peters diese Rufnummer" in page
    assert "Verkehrsdaten dieses Mitarbeiters löschen" in page
    assert "checked" not in re.search(r'<input[^>]*name="purge_\d+"[^>]*>', answer.content.decode())[0]
    assert 'value="Nina Neu"' in answer.content.decode()
    assert holding(cast, held) == ["Paula Peters"]


@pytest.mark.parametrize("ticked", [False, True])
def test_hire_takes_a_number_over_with_and_without_purge(cast, sign_in, scene, ticked):
    _free, held, _inactive, interval = scene
    fields = {"name": "Nina Neu", "language": "de", "numbers": [held.pk], f"seen_{held.pk}": interval.pk}
    fields |= {f"count_{held.pk}": 2, "notice": purge.NOTICE}
    fields |= {f"purge_{held.pk}": interval.pk} if ticked else {}

    answer = send(sign_in(cast.alice), URL, cast.acme, **fields)

    assert answer.status_code == 302
    assert holding(cast, held) == ["Nina Neu"]
    with within(cast.acme, cast.alice):
        assert CallRecord.objects.count() == (0 if ticked else 2)
        assert Purge.objects.count() == int(ticked)


def long_ago(client):
    """Let the person of this browser have shown who they are more than five minutes ago."""
    session = client.session
    session["account_authentication_methods"][0]["at"] -= 301
    session.save()
    return client


def purging(scene, **fields):
    """Return what the page would send to take a number over and delete its holder's calls."""
    free, held, _inactive, interval = scene
    fields = {"name": "Nina Neu", "email": "nina@acme.example", "access": "staff", "language": "en"} | fields
    fields |= {"numbers": [free.pk, held.pk], f"seen_{held.pk}": interval.pk, f"count_{held.pk}": 2}
    return fields | {"notice": purge.NOTICE, f"purge_{held.pk}": interval.pk}


def asked(client, cast, fields):
    """Send the page's form, which asks who one is; return the address that the confirmation leads back to."""
    answer = send(client, URL, cast.acme, headers={"Referer": f"http://testserver{URL}"}, **fields)
    assert answer.url.startswith("/accounts/reauthenticate/?next=")
    return unquote(answer.url.partition("next=")[2])


def shows_nothing(page):
    return 'value="Nina Neu"' not in page and "checked" not in page and "purge_" not in page


def test_hire_keeps_what_was_typed_while_one_confirms_who_one_is(cast, sign_in, scene):
    free, held, *_ = scene
    client = long_ago(sign_in(cast.alice))
    fields = purging(scene)

    asks = send(client, URL, cast.acme, headers={"Referer": f"http://testserver{URL}"}, **fields)
    confirmed = client.post(asks.url, {"password": make.PASSWORD})
    page = client.get(confirmed.url)

    assert (confirmed.url.partition("?")[0], page.status_code) == (URL, 200)
    shown = page.content.decode()
    form = page.context["form"]
    assert [form[name].value() for name in ("name", "email", "access", "language")] == list(fields.values())[:4]
    assert re.search(rf'<input[^>]*name="numbers"[^>]*value="{free.pk}"[^>]*checked', shown)
    assert "checked" in re.search(r'<input[^>]*name="purge_\d+"[^>]*>', shown)[0]
    assert holding(cast, held) == ["Paula Peters"]
    assert "typed" not in client.session
    assert shows_nothing(client.get(confirmed.url).content.decode())  # once
    assert send(client, URL, cast.acme, **fields).status_code == 302
    assert holding(cast, held) == ["Nina Neu"]


def test_what_was_typed_is_gone_once_one_went_back_and_saved_without_the_purge(cast, sign_in, scene):
    _free, held, *_ = scene
    client = long_ago(sign_in(cast.alice))
    fields = purging(scene)
    back = asked(client, cast, fields)

    del fields[f"purge_{held.pk}"]
    assert send(client, URL, cast.acme, **fields).status_code == 302

    assert "typed" not in client.session
    assert shows_nothing(client.get(URL).content.decode())
    assert shows_nothing(client.get(back).content.decode())


def test_what_was_given_up_shows_only_where_the_confirmation_leads(cast, sign_in, scene):
    free, *_ = scene
    client = long_ago(sign_in(cast.alice))
    back = asked(client, cast, purging(scene))

    fresh, other = (client.get(URL, data).content.decode() for data in ({}, {"typed": "guessed"}))
    chosen = client.get(URL, {"numbers": free.pk}).content.decode()

    assert shows_nothing(fresh)
    assert shows_nothing(other)
    assert 'value="Nina Neu"' not in chosen
    assert re.findall(r'<input[^>]*name="numbers"[^>]*value="(\d+)"[^>]*checked', chosen) == [str(free.pk)]
    assert 'value="Nina Neu"' in client.get(back).content.decode()


def test_what_was_typed_is_forgotten_after_fifteen_minutes(cast, sign_in, scene):
    client = long_ago(sign_in(cast.alice))
    with time_machine.travel(NOW, tick=False) as clock:
        client.get(URL)
        back = asked(client, cast, purging(scene))

        clock.shift(900)
        assert client.get("/staff/").status_code == 200
        assert "typed" in client.session
        clock.shift(61)
        client.get("/staff/")

        assert "typed" not in client.session
        assert shows_nothing(client.get(back).content.decode())


def test_only_the_fields_of_the_page_wait_and_not_more_than_50_kb(cast, sign_in, scene):
    free, held, *_ = scene
    client = long_ago(sign_in(cast.alice))

    asked(client, cast, purging(scene, planted="x" * 100, purge_99999="1", number_q="030"))
    known = {"name", "email", "access", "language", "numbers", "notice", "number_q"}
    assert set(client.session["typed"]["fields"]) == known | {f"{of}_{held.pk}" for of in ("seen", "count", "purge")}

    assert asked(client, cast, purging(scene, name="x" * 50_000)) == URL
    assert "typed" not in client.session
    assert holding(cast, free) == []


def test_what_was_typed_in_one_tenant_is_not_shown_in_another(cast, sign_in, scene):
    client = long_ago(sign_in(cast.erika))
    session = client.session
    session["tenant_id"] = cast.acme.pk
    session.save()

    back = asked(client, cast, purging(scene))
    session = client.session
    session["tenant_id"] = cast.globex.pk
    session.save()

    assert client.session["typed"]["tenant"] == cast.acme.pk
    assert shows_nothing(client.get(back).content.decode())
    assert "typed" not in client.session


def test_hire_whose_purge_is_not_what_was_shown_creates_nobody(cast, sign_in, scene):
    free, held, _inactive, interval = scene
    fields = {"name": "Nina Neu", "language": "de", "numbers": [free.pk, held.pk], f"seen_{held.pk}": interval.pk}
    fields |= {f"count_{held.pk}": 1, "notice": purge.NOTICE, f"purge_{held.pk}": interval.pk}

    answer = send(sign_in(cast.alice), URL, cast.acme, **fields)

    assert answer.status_code == 422
    with within(cast.acme, cast.alice):
        assert not StaffMember.objects.filter(name="Nina Neu").exists()
        assert CallRecord.objects.count() == 2
    assert (holding(cast, free), holding(cast, held)) == ([], ["Paula Peters"])


def test_hire_with_an_inactive_number_says_so_at_the_numbers_and_creates_nobody(cast, sign_in, scene):
    free, _held, inactive, _interval = scene

    answer = send(sign_in(cast.alice), URL, cast.acme, name="Nina Neu", numbers=[free.pk, inactive.pk], language="de")

    assert answer.status_code == 422
    assert "030 23125012: Nur aktive Rufnummern können zugeordnet werden" in text(answer)
    assert re.search(r'id="numbers-field"[^>]*aria-invalid="true"', answer.content.decode(), re.DOTALL)
    with within(cast.acme, cast.alice):
        assert not StaffMember.objects.filter(name="Nina Neu").exists()
    assert holding(cast, free) == []


def test_hire_with_an_address_somebody_has_says_so_at_the_address(cast, sign_in, scene):
    with within(cast.acme, cast.alice):
        make.member("Otto Ohm", email="otto@acme.example")

    answer = send(sign_in(cast.alice), URL, cast.acme, name="Nina Neu", email="otto@acme.example", language="de")

    assert answer.status_code == 422
    assert re.search(r'name="email"[^>]*aria-invalid="true"', answer.content.decode())


def test_hire_sent_twice_counts_once(cast, sign_in, scene):
    client = sign_in(cast.alice)
    key = {"operation_id": "00000000-0000-4000-8000-000000000001"}

    answers = [send(client, URL, cast.acme, name="Nina Neu", language="de", **key) for _ in range(2)]

    assert len({answer.headers["Location"] for answer in answers}) == 1
    with within(cast.acme, cast.alice):
        assert StaffMember.objects.filter(name="Nina Neu").count() == 1


def test_looking_for_numbers_keeps_what_was_typed_and_saves_nothing(cast, sign_in, scene):
    free, held, *_ = scene
    fields = {"name": "Nina Neu", "department": "Einkauf", "numbers": [held.pk], "number_q": "Empfang", "look": "1"}

    answer = send(sign_in(cast.alice), URL, cast.acme, **fields)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'value="Nina Neu"' in page
    assert 'value="Einkauf"' in page
    assert f'id="number-{free.pk}"' in page
    assert "Momentan nutzt Paula Peters" in text(answer)
    with within(cast.acme, cast.alice):
        assert not StaffMember.objects.filter(name="Nina Neu").exists()


def test_search_answers_with_the_list_alone(cast, sign_in, scene):
    page = text(sign_in(cast.alice).get(URL, {"part": "numbers", "number_q": "125011"}, headers=DIALOG))

    assert "030 23125011" in page
    assert "030 23125010" not in page
    assert "Neuer Mitarbeiter" not in page


def test_page_needs_as_many_statements_for_one_number_as_for_many(cast, sign_in, scene):
    client = sign_in(cast.alice)
    client.get(URL)
    one = statements(client, URL)
    with within(cast.acme, cast.alice):
        make.numbers(5, state="active")

    assert statements(client, URL) == one


def test_hire_is_for_administrators_and_knows_no_number_of_another_tenant(cast, sign_in, scene):
    with within(cast.globex, cast.carl):
        foreign = make.number("+496990009010", area_code="69", state="active")

    answer = send(sign_in(cast.alice), URL, cast.acme, name="Nina Neu", language="de", numbers=[foreign.pk])

    assert sign_in(cast.bob).get(URL).status_code == 403
    assert "69 90009" not in text(answer)
    with within(cast.globex, cast.carl):
        assert not Assignment.objects.exists()


def test_the_page_stands_below_staff_in_the_navigation(cast, sign_in):
    page = sign_in(cast.alice).get(URL).content.decode()

    assert re.findall(r'<a href="([^"]+)"\s+aria-current="page"', page) == ["/staff/"]
