"""A person's data: taken away by whom and with what in it, erased except what law keeps, each decision logged (T6)."""

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.apps import apps
from django.test import Client
from django.urls import reverse

from numbers import disputes, erasure, personal, purge
from numbers.models import Assignment, CallRecord, ErasureDecision, PhoneNumber, Purge, UsageTotal
from portal import outbox, tasks
from portal.access import tenant_token
from portal.models import AuditEvent, Membership, OutboxMessage
from portal.tenancy import tenant_transaction
from staff import settings as staff_settings
from staff.models import Invitation, StaffMember
from tests import calling, make
from tests.conftest import NOW

LEFT = {"state": "left", "left_at": NOW}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def number(cast):
    calling.make_months()
    with tenant_transaction(cast.acme.pk):
        return make.number("+493023125010", state="active")


@pytest.fixture
def bob(cast, number):
    """Bob, who has the number since ten days; before him Former had it. Each had calls; one is reverse-charged."""
    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        row = make.member("Bob Brandt", user=cast.bob, extension="23", department="=Vertrieb")
        calling.assign(number, make.member("Former Fritz"), calling.days_ago(60), calling.days_ago(10))
        calling.assign(number, row, calling.days_ago(10))
    calling.take(
        calling.line(number, calling.days_ago(11), peer="+492214710111"),
        calling.line(number, calling.days_ago(3), peer="+492214710222"),
        calling.line(number, calling.days_ago(2), peer="+492214710333", direction="in", reverse_charged=True),
    )
    return row


@pytest.fixture
def gone(cast, number):
    """Gina, who left: 20 days with the number, two calls, an invitation, her address."""
    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        row = make.member("Gina Gruber", email="gina@acme.example", extension="77", department="Lager", **LEFT)
        calling.assign(number, row, calling.days_ago(30), calling.days_ago(10))
        after = make.member("After Anna")
        calling.assign(number, after, calling.days_ago(10))
        Invitation.objects.create(
            member=row, email=row.email, role="staff", token_hash="x", created_at=NOW, expires_at=NOW, revoked_at=NOW
        )
    calling.take(
        calling.line(number, calling.days_ago(20), talk=10, cost_micro=1),
        calling.line(number, calling.days_ago(11), talk=20, cost_micro=2),
        calling.line(number, calling.days_ago(9)),
    )
    with tenant_transaction(cast.acme.pk):
        make.fax_credential(number, row, revoked_at=NOW)
    return row


def url(name, *pk):
    return reverse(f"numbers:{name}", args=pk)


def send(client, cast, path, **fields):
    return client.post(path, {"_tenant": tenant_token(cast.acme.pk), "operation_id": str(uuid4())} | fields)


def opened(response):
    """Return the files of a ZIP by name, as text; tables as lists of lines."""
    assert response.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        texts = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    tables = {n: list(csv.reader(io.StringIO(t), delimiter=";")) for n, t in texts.items() if n.endswith(".csv")}
    return texts | tables


def allow(cast, *, calls):
    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        staff_settings.change({"sees_own_calls": calls}, by=cast.alice, at=NOW)


def events(cast, verb):
    with tenant_transaction(cast.acme.pk):
        return list(AuditEvent.objects.filter(tenant=cast.acme, verb=verb))


def erased(cast, row, **changes):
    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        numbers = PhoneNumber.objects.locked(erasure.numbers_of(row.pk))
        [locked] = StaffMember.objects.locked([row.pk])
        said = {"count_seen": 2, "notice": purge.NOTICE, "by": cast.alice, "at": NOW} | changes
        return erasure.erase(numbers, locked, **said)


# --- export ---


def test_every_model_that_points_at_a_person_belongs_to_a_kind():
    pointing = {
        model._meta.label
        for model in apps.get_models()
        for field in model._meta.local_fields
        if field.related_model is StaffMember
    }

    assert pointing == {label for kind in personal.kinds() for label in kind.models}
    assert personal.kinds()[-1].name == "person"


def test_a_person_takes_their_own_data_away(cast, bob, sign_in):
    allow(cast, calls=True)

    found = opened(send(sign_in(cast.bob), cast, url("my_data")))

    assert found["person.csv"][1][:5] == [
        "Bob Brandt",
        "bob@acme.example",
        '="23"'.strip('="') or "",
        "'=Vertrieb",
        "de",
    ]
    assert found["login.csv"][1][:2] == ["bob@acme.example", "staff"]
    assert found["numbers.csv"][1:] == [['="+493023125010"', "2026-11-13 13:00:00", ""]]
    assert found["usage.csv"][1:] == [['="+493023125010"', "2026-11", "2", "120"]]
    assert [row[3] for row in found["calls.csv"][1:]] == ['="+492214710xxx"', '="+492214710222"']
    data = json.loads(found["data.json"])["data"]
    assert set(data) == {kind.name for kind in personal.kinds()}
    assert data["calls"][1]["other_number"] == "+492214710222"
    for kind in personal.kinds():
        assert f"{kind.name}.csv" in found["LIESMICH.txt"]
    [event] = events(cast, "staff.data_exported")
    assert (event.object_id, event.actor_id, event.after) == (bob.pk, cast.bob.pk, {"own": True})
    with tenant_transaction(cast.acme.pk):
        assert not OutboxMessage.objects.filter(template="staff/data_exported").exists()


@pytest.mark.parametrize("allowed", [True, False])
def test_an_administrator_never_gets_single_calls_and_the_person_is_told(cast, bob, sign_in, allowed):
    allow(cast, calls=allowed)

    response = send(sign_in(cast.alice), cast, url("person_data", bob.pk))
    found = opened(response)

    assert "calls.csv" not in found
    assert "calls" not in json.loads(found["data.json"])["data"]
    assert "2214710" not in str(found)
    assert found["usage.csv"][1][2] == "2"
    assert "nicht enthalten" in found["LIESMICH.txt"]
    [event] = events(cast, "staff.data_exported")
    assert (event.actor_id, event.after) == (cast.alice.pk, {"own": False})
    with tenant_transaction(cast.acme.pk):
        mail = OutboxMessage.objects.get(template="staff/data_exported")
    assert mail.recipient == "bob@acme.example"
    assert "Alice Adler" in outbox.compose(mail).body


def test_own_calls_are_left_out_where_the_company_does_not_show_them(cast, bob, sign_in):
    found = opened(send(sign_in(cast.bob), cast, url("my_data")))

    assert "calls.csv" not in found
    assert "2214710" not in str(found)


def test_an_export_names_nobody_else(cast, bob, sign_in):
    allow(cast, calls=True)
    for client, path in ((sign_in(cast.bob), url("my_data")), (sign_in(cast.alice), url("person_data", bob.pk))):
        found = str(opened(send(client, cast, path)))
        assert "Former" not in found
        assert "710111" not in found


def test_an_export_sent_twice_is_noted_once(cast, bob, sign_in):
    alice, key = sign_in(cast.alice), str(uuid4())

    first, again = (send(alice, cast, url("person_data", bob.pk), operation_id=key) for _ in range(2))

    assert first.status_code == again.status_code == 200
    assert len(events(cast, "staff.data_exported")) == 1


def test_who_is_on_no_list_of_staff_is_told_so(cast, sign_in):
    dora = sign_in(cast.dora)

    assert "Sie stehen nicht in der Mitarbeiterliste" in dora.get(url("my_data")).content.decode()
    assert send(dora, cast, url("my_data")).status_code == 404


@pytest.mark.parametrize("name", ["person_data", "person_erase"])
def test_others_may_not(cast, bob, sign_in, name):
    for who in (cast.bob, cast.dora):
        assert sign_in(who).get(url(name, bob.pk)).status_code == 403
    assert sign_in(cast.carl).get(url(name, bob.pk)).status_code == 404


@pytest.mark.parametrize("name", ["my_data", "person_data", "person_erase"])
def test_who_signed_in_long_ago_is_asked_first(cast, bob, name):
    client = Client()
    client.force_login(cast.alice)
    args = () if name == "my_data" else (bob.pk,)

    for answer in (client.get(url(name, *args)), send(client, cast, url(name, *args))):
        assert reverse("account_reauthenticate") in answer.headers["Location"]


# --- erasure ---


def test_erasing_takes_name_address_invitations_and_calls(cast, gone, number):
    rows = erased(cast, gone)

    with tenant_transaction(cast.acme.pk):
        row = StaffMember.objects.get(pk=gone.pk)
        assert (row.name, row.email, row.extension, row.department) == (f"Person {gone.pk}", "", "", "")
        assert not Invitation.objects.filter(member=gone).exists()
        assert CallRecord.objects.values_list("holder__name").get() == ("After Anna",)
        assert UsageTotal.objects.values_list("calls", "talk_seconds", "cost_micro").get() == (2, 30, 3)
        assert Assignment.objects.filter(staff_member=gone).count() == 1
        logged = set(ErasureDecision.objects.values_list("kind", "decision", "reason", "count"))
    assert {(r.kind, r.decision, r.reason, r.count) for r in rows} == logged
    assert logged == {
        ("numbers", "kept", "who_had_it", 1),
        ("usage", "erased", "not_needed", 2),
        ("deletions", "kept", "proof", 1),
        ("login", "kept", "own_login", 0),
        ("invitations", "erased", "not_needed", 1),
        ("fax_access", "erased", "not_needed", 1),
        ("faxes", "erased", "not_needed", 0),
        ("mails", "kept", "mail_log", 1),  # the one that tells her
        ("trace", "kept", "accountable", 0),
        ("person", "erased", "not_needed", 1),
    }
    assert {row.reason for row in rows} <= set(erasure.REASONS)


def test_erasing_leaves_an_event_and_tells_without_a_name(cast, gone):
    erased(cast, gone)

    [event] = events(cast, "staff.erased")
    assert (event.object_id, event.actor_id) == (gone.pk, cast.alice.pk)
    assert "Gina" not in event.object_label + str(event.before) + str(event.after)
    with tenant_transaction(cast.acme.pk):
        mails = {m.recipient: m for m in OutboxMessage.objects.all()}
    assert set(mails) == {"gina@acme.example", "alice@acme.example", "erika@partner.example"}
    assert "Gina" not in outbox.compose(mails["alice@acme.example"]).body
    assert url("person_data", gone.pk) in outbox.compose(mails["alice@acme.example"]).body
    assert "Gina Gruber" in outbox.compose(mails["gina@acme.example"]).body


def test_a_call_that_comes_in_after_the_erasure_is_only_totalled(cast, gone, number):
    erased(cast, gone)

    assert calling.take(calling.line(number, calling.days_ago(15))) == {"purged": 1}
    assert calling.take(calling.line(number, calling.days_ago(8))) == {"taken": 1}


def test_calls_of_a_shared_fax_stay_everybodys(cast, gone):
    with tenant_transaction(cast.acme.pk):
        fax = make.number("+493023125011", state="active", usage="fax_shared")
        for person in (gone, make.member("Other Olaf")):
            calling.assign(fax, person, calling.days_ago(30), calling.days_ago(5), shared=True)
    calling.take(calling.line(fax, calling.days_ago(20)))

    erased(cast, gone)

    assert calling.take(calling.line(fax, calling.days_ago(20))) == {"taken": 1}
    with tenant_transaction(cast.acme.pk):
        assert CallRecord.objects.filter(number=fax).count() == 2
        assert Purge.objects.count() == 1


def test_a_dispute_holds_its_calls_and_the_log_says_so(cast, gone, number, as_operator):
    calling.take(calling.line(number, datetime(2026, 10, 26, 12, tzinfo=UTC)))
    with as_operator():
        Assignment.objects.filter(staff_member=gone).update(from_at=calling.days_ago(60))
        CallRecord.objects.filter(started_at__lt=datetime(2026, 11, 1, tzinfo=UTC)).update(holder=gone)
        disputes.open_(tenant_id=cast.acme.pk, number=number, month=date(2026, 11, 1), reason="x", by=cast.olga, at=NOW)

    rows = erased(cast, gone, count_seen=3)

    assert {(r.decision, r.reason, r.count) for r in rows if r.kind == "usage"} == {
        ("erased", "not_needed", 1),
        ("kept", "disputed", 2),
    }
    with tenant_transaction(cast.acme.pk):
        assert CallRecord.objects.filter(holder=gone).count() == 2


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"count_seen": 1}, purge.CountChanged),
        ({"notice": "2020-01"}, erasure.ErasureRefused),
    ],
)
def test_erasing_asks_again_when_something_changed(cast, gone, changes, error):
    with pytest.raises(error):
        erased(cast, gone, **changes)

    with tenant_transaction(cast.acme.pk):
        assert not ErasureDecision.objects.exists()
        assert CallRecord.objects.count() == 3


def test_only_who_left_is_erased_and_only_once(cast, gone):
    with tenant_transaction(cast.acme.pk):
        here = make.member("Here Hanna")
    with pytest.raises(erasure.ErasureRefused):
        erased(cast, here, count_seen=0)
    erased(cast, gone)
    with pytest.raises(erasure.ErasureRefused):
        erased(cast, gone, count_seen=0)


def test_the_page_asks_then_erases_then_shows_the_log(cast, gone, sign_in):
    alice, path = sign_in(cast.alice), url("person_erase", gone.pk)
    page = alice.get(path).content.decode()
    fields = {"count_seen": "2", "notice": purge.NOTICE}

    refused = send(alice, cast, path, **fields)
    stale = send(alice, cast, path, **fields | {"count_seen": "9", "agreed": "on"})
    key = str(uuid4())
    done, again = (send(alice, cast, path, **fields, agreed="on", operation_id=key) for _ in range(2))

    assert "2 Verbindungen" in page
    assert (refused.status_code, stale.status_code, done.status_code, again.status_code) == (422, 422, 302, 302)
    log = alice.get(done.headers["Location"]).content.decode()
    assert "Gina" not in log
    assert str(erasure.REASONS["who_had_it"]) in log
    assert len(events(cast, "staff.erased")) == 1


def test_a_login_elsewhere_is_left_alone(cast, gone):
    erased(cast, gone)

    with tenant_transaction(cast.globex.pk):
        assert Membership.objects.filter(tenant=cast.globex).count() == 2


# --- mails ---


def test_sent_mails_are_forgotten_after_ninety_days(cast, as_operator):
    with as_operator():
        for days, state in ((91, "sent"), (89, "sent"), (91, "dead")):
            at = NOW - timedelta(days=days)
            sent = at if state == "sent" else None
            OutboxMessage.objects.create(
                recipient="a@b.example",
                language="de",
                template=f"x{days}",
                state=state,
                created_at=at,
                due_at=at,
                sent_at=sent,
            )
        count = outbox.forget(sent_before=NOW - tasks.KEEP_MAIL)

        assert count == 1
        assert set(OutboxMessage.objects.values_list("template", "state")) == {("x89", "sent"), ("x91", "dead")}
