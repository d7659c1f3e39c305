import csv
import re
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Slot
from numbers import bulk
from numbers.models import BulkItem, BulkRun, Forwarding, PhoneNumber
from numbers.outcomes import Result
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.numbers.confirming import DIALOG, send, statements, text, within

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SEEN = {"standard": Decimal("2.90")}


def test_a_bulk_run_gives_every_number_an_outcome_and_writes_one_mail(acme):
    inactive, active = make.numbers(3), make.number(state="active")
    gone = make.number(state="returned")

    run = bulk.start("activate", PhoneNumber.objects.all(), prices_seen=SEEN, by=acme.alice, at=NOW)
    bulk.proceed(run, at=NOW)

    run.refresh_from_db()
    assert (run.total, run.handled, run.finished_at) == (5, 5, NOW)
    assert bulk.tally(run) == {Result.DONE: 3, Result.UNCHANGED: 1, Result.REFUSED: 1}
    assert BulkItem.objects.get(number=active).reason == "already_active"
    assert BulkItem.objects.get(number=gone).reason == "gone"
    assert AuditEvent.objects.filter(verb="number.activated").count() == len(inactive)
    assert OutboxMessage.objects.get().template == "numbers/bulk_finished"


def test_a_run_goes_on_where_it_stopped_and_handles_nothing_twice(acme, monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 2)
    make.numbers(5)
    run = bulk.start("activate", PhoneNumber.objects.all(), prices_seen=SEEN, by=acme.alice, at=NOW)

    handled = [bulk.proceed(run, at=NOW) for _ in range(4)]

    assert handled == [2, 2, 1, 0]
    assert Slot.objects.count() == 5
    assert OutboxMessage.objects.count() == 1


def test_a_price_that_changed_since_refuses_what_is_left(acme):
    make.numbers(2)
    seen = {"standard": Decimal("2.50")}

    run = bulk.start("activate", PhoneNumber.objects.all(), prices_seen=seen, by=acme.alice, at=NOW)
    bulk.proceed(run, at=NOW)

    assert set(BulkItem.objects.values_list("outcome", "reason")) == {("refused", "price_changed")}
    assert not Slot.objects.exists()


@pytest.mark.parametrize(("verb", "state"), [("deactivate", "active"), ("withdraw", "deactivation_scheduled")])
def test_deactivations_and_withdrawals_run_in_bulk(acme, verb, state):
    planned = {"last_active_on": date(2026, 12, 31)} if verb == "withdraw" else {}
    make.numbers(2, state=state, **planned)

    run = bulk.start(verb, PhoneNumber.objects.all(), date_seen=date(2026, 12, 31), by=acme.alice, at=NOW)
    bulk.proceed(run, at=NOW)

    assert bulk.tally(run)[Result.DONE] == 2


def test_the_worker_finishes_what_is_open(acme):
    make.numbers(3)
    run = bulk.start("activate", PhoneNumber.objects.all(), prices_seen=SEEN, by=acme.alice, at=NOW)

    assert bulk.continue_open(at=NOW) == 3

    assert BulkRun.objects.get(pk=run.pk).finished_at is not None


def test_one_number_that_fails_is_refused_alone(acme):
    numbers = make.numbers(4, state="active")
    Slot.objects.filter(label=numbers[1].e164).update(label="+493023125999")  # number and slot disagree

    run = bulk.start("deactivate", PhoneNumber.objects.all(), date_seen=date(2026, 12, 31), by=acme.alice, at=NOW)
    bulk.proceed(run, at=NOW)

    assert dict(BulkItem.objects.values_list("number_id", "outcome")) == {
        **{n.pk: "done" for n in numbers},
        numbers[1].pk: "refused",
    }
    assert BulkItem.objects.get(outcome="refused").reason == "failed"
    assert PhoneNumber.objects.scheduled(NOW).count() == AuditEvent.objects.count() == 3


def test_a_deactivation_confirmed_before_midnight_keeps_its_date_however_late_the_worker(acme):
    make.number(state="active")
    confirmed = datetime(2026, 11, 30, 22, 59, tzinfo=UTC)

    run = bulk.start("deactivate", PhoneNumber.objects.all(), date_seen=date(2026, 12, 31), by=acme.alice, at=confirmed)
    bulk.proceed(run, at=datetime(2026, 12, 2, 10, 0, tzinfo=UTC))

    assert PhoneNumber.objects.get().last_active_on == date(2026, 12, 31)


def test_a_broken_run_does_not_hold_up_the_others(acme, monkeypatch):
    make.numbers(2)
    broken, sound = (
        bulk.start("activate", PhoneNumber.objects.all(), prices_seen=SEEN, by=acme.alice, at=NOW) for _ in range(2)
    )
    BulkRun.objects.filter(pk=broken.pk).update(parameters={"prices": {"standard": "x"}})

    bulk.continue_open(at=NOW)

    assert BulkRun.objects.get(pk=broken.pk).finished_at is None
    assert BulkRun.objects.get(pk=sound.pk).finished_at is not None


def test_a_bulk_of_any_size_needs_the_same_statements(acme):
    asked = []
    for count in (1, 3, 40):
        make.numbers(count)
        with CaptureQueriesContext(connection) as captured:
            run = bulk.start("activate", PhoneNumber.objects.inactive(NOW), prices_seen=SEEN, by=acme.alice, at=NOW)
            bulk.proceed(run, at=NOW)
        asked.append(sum(not re.match(r"SAVEPOINT|RELEASE", s["sql"]) for s in captured.captured_queries))

    assert len(set(asked)) == 1, asked
    assert asked[0] <= 16


# The pages.


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def mixed(cast, clock):
    """Four numbers of Acme: inactive, active, scheduled, being ported; and one of Globex."""
    with within(cast.acme, cast.alice):
        found = {
            "inactive": make.number("+493023125001", label="<i>Lager</i>"),
            "active": make.number("+493023125002", state="active"),
            "scheduled": make.number(
                "+493023125003", state="deactivation_scheduled", last_active_on=date(2026, 12, 31)
            ),
            "porting": make.number("+493023125004", state="port_in_pending"),
        }
    with within(cast.globex, cast.carl):
        found["foreign"] = make.number("+493023125005")
    return {name: number.pk for name, number in found.items()}


def states(cast):
    with within(cast.acme, cast.alice):
        return list(PhoneNumber.objects.order_by("e164").values_list("state", flat=True))


BEFORE = ["inactive", "active", "deactivation_scheduled", "port_in_pending"]


def confirm(client, cast, **fields):
    return send(client, "/numbers/bulk/", cast.acme, **fields)


def test_the_confirm_page_counts_effects_and_totals_the_price(cast, sign_in, mixed):
    ids = [mixed[name] for name in ("inactive", "active", "scheduled", "porting")]

    page = sign_in(cast.alice).get("/numbers/bulk/", {"verb": "activate", "ids": ids})

    said_there = text(page)
    for part in (
        *("4 Rufnummern ausgewählt", "1 werden kostenpflichtig aktiviert", "1 bleiben unverändert: bereits aktiv"),
        *("1 bleiben aktiv: ihre Vormerkung wird zurückgenommen", "1 lassen sich nicht ändern"),
        *("2,90 €", "3,45 €", "Rufnummern jetzt kostenpflichtig aktivieren", "Abbrechen"),
    ):
        assert part in said_there
    assert "<i>Lager" not in page.content.decode()
    assert states(cast) == BEFORE


def test_the_confirm_page_of_a_withdrawal_says_what_happens_to_each(cast, sign_in, mixed):
    page = text(sign_in(cast.alice).get("/numbers/bulk/", {"verb": "withdraw", "ids": list(mixed.values())}))

    assert "1 bleiben inaktiv: keine Deaktivierung vorgemerkt" in page
    assert "1 bleiben unverändert: nicht vorgemerkt" in page


def test_the_confirm_page_of_a_deactivation_shows_dates_and_what_stops(cast, sign_in, mixed):
    with within(cast.acme, cast.alice):
        Forwarding.objects.create(number_id=mixed["active"], when="always", destination="+494066969001", changed_at=NOW)

    page = text(sign_in(cast.alice).get("/numbers/bulk/?verb=deactivate&everything=all"))

    for part in (
        *("aktiv bis einschließlich 31.12.2026 , inaktiv ab 01.01.2027", "030 23125002: Weiterleitung immer auf"),
        *("Dies sind Ihre letzten aktiven Rufnummern", "Rufnummern jetzt deaktivieren"),
    ):
        assert part in page


def test_bulk_does_what_was_confirmed_and_shows_a_result_per_number(cast, sign_in, mixed):
    client = sign_in(cast.alice)
    ids = [mixed[name] for name in ("inactive", "active", "scheduled", "porting")]

    answer = confirm(client, cast, verb="activate", ids=ids, changing=2, price_standard="2.90")
    result = text(client.get(answer.headers["Location"]))

    assert answer.status_code == 302
    assert states(cast) == ["active", "active", "active", "port_in_pending"]
    assert "Für 2 von 4 Rufnummern erledigt." in result
    assert "Die Rufnummer ist bereits aktiv." in result
    assert "Die Rufnummer wird gerade portiert." in result
    with within(cast.acme, cast.alice):
        assert Counter(AuditEvent.objects.values_list("verb", flat=True)) == {
            "number.activated": 1,
            "number.deactivation_withdrawn": 1,
        }
        assert OutboxMessage.objects.get().template == "numbers/bulk_finished"


@pytest.mark.parametrize("verb", ["deactivate", "withdraw"])
def test_everything_that_matches_is_found_again_on_the_server(cast, sign_in, mixed, verb):
    seen = {"changing": 1, "date_seen": "2026-12-31" if verb == "deactivate" else ""}

    answer = confirm(sign_in(cast.alice), cast, verb=verb, everything="q=030&area=30", **seen)

    assert answer.status_code == 302
    with within(cast.acme, cast.alice):
        assert BulkRun.objects.get().total == 4
    expected = {
        "deactivate": ["inactive", "deactivation_scheduled", "deactivation_scheduled", "port_in_pending"],
        "withdraw": ["inactive", "active", "active", "port_in_pending"],
    }
    assert states(cast) == expected[verb]


@pytest.mark.parametrize(
    "seen",
    [
        {"changing": 1, "price_standard": "2.90"},  # more numbers than were shown
        {"changing": 2, "price_standard": "1.90"},
        {"changing": 2},
        {"changing": "", "price_standard": "2.90"},
        {"changing": 2, "price_standard": "2.90", "operation_id": "x"},
    ],
)
def test_bulk_asks_again_unless_exactly_this_was_shown(cast, sign_in, mixed, seen):
    answer = confirm(sign_in(cast.alice), cast, verb="activate", everything="all", **seen)

    assert answer.status_code == 422
    assert 'name="changing" value="2"' in answer.content.decode()
    assert 'name="price_standard" value="2.90"' in answer.content.decode()
    assert states(cast) == BEFORE


def test_bulk_asks_again_when_midnight_moved_the_date(cast, sign_in, mixed):
    with time_machine.travel(datetime(2026, 11, 30, 23, 0, tzinfo=UTC), tick=False):
        answer = confirm(
            sign_in(cast.alice), cast, verb="deactivate", ids=[mixed["active"]], changing=1, date_seen="2026-12-31"
        )

    assert answer.status_code == 422
    assert 'name="date_seen" value="2027-01-31"' in answer.content.decode()
    assert states(cast) == BEFORE


def test_a_bulk_form_sent_twice_runs_once(cast, sign_in, mixed):
    client, key = sign_in(cast.alice), "8a0b6f0e-34a4-4c43-9a6c-0d2f8c6f0b21"
    fields = {"verb": "activate", "ids": [mixed["inactive"]], "changing": 1, "price_standard": "2.90"}

    answers = [confirm(client, cast, **fields, operation_id=key) for _ in range(2)]

    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    with within(cast.acme, cast.alice):
        assert BulkRun.objects.count() == 1
        assert Slot.objects.filter(label="+493023125001").count() == 1


def test_other_tenants_numbers_are_as_if_they_were_not(cast, sign_in, mixed):
    client = sign_in(cast.alice)

    page = client.get("/numbers/bulk/", {"verb": "activate", "ids": [mixed["foreign"], 999999]})
    answer = confirm(
        client, cast, verb="activate", ids=[mixed["foreign"], mixed["inactive"]], changing=1, price_standard="2.90"
    )

    assert "Keine Rufnummer ausgewählt" in text(page)
    assert "23125005" not in text(client.get(answer.headers["Location"]))
    with within(cast.globex, cast.carl):
        assert PhoneNumber.objects.get().state == "inactive"


@pytest.mark.parametrize("query", ["", "verb=activate", "verb=erase&ids=1", "verb=activate&ids=x&ids=" + "9" * 30])
def test_without_a_choice_the_page_says_what_to_do(cast, sign_in, query):
    page = sign_in(cast.alice).get(f"/numbers/bulk/?{query}")

    assert page.status_code == 200
    assert "Keine Rufnummer ausgewählt" in text(page)


def test_only_administrators_of_the_tenant_reach_bulk_and_its_result(cast, sign_in, mixed):
    with within(cast.acme, cast.alice):
        run = bulk.start("withdraw", PhoneNumber.objects.all(), by=cast.alice, at=NOW)
    addresses = ["/numbers/bulk/?verb=withdraw&everything=all", f"/numbers/bulk/{run.pk}/"]
    addresses.append(f"/numbers/bulk/{run.pk}/result.csv")

    for address in addresses:
        assert sign_in(cast.bob).get(address).status_code == 403
        assert sign_in(cast.dora).get(address).status_code == 403
    assert confirm(sign_in(cast.bob), cast, verb="withdraw", everything="all", changing=1).status_code == 403
    assert [sign_in(cast.carl).get(address).status_code for address in addresses[1:]] == [404, 404]
    assert sign_in(cast.alice).post(addresses[1]).status_code == 405
    assert states(cast) == BEFORE


def test_more_than_a_hundred_are_the_workers_with_a_progress_bar(cast, sign_in, clock, monkeypatch):
    rung = []
    monkeypatch.setattr("portal.wake.later", rung.append)
    with within(cast.acme, cast.alice):
        for place in range(101):
            make.number(f"+493023125{place:03}")
    client = sign_in(cast.alice)

    answer = confirm(client, cast, verb="activate", everything="all", changing=101, price_standard="2.90")
    address = answer.headers["Location"]
    page, part = client.get(address), client.get(address, headers=DIALOG)

    assert rung == ["numbers.tasks.continue_bulk_runs"]
    assert "0 von 101 Rufnummern bearbeitet" in text(page)
    assert f'hx-get="{address}" hx-trigger="every 2s"' in part.content.decode()
    assert 'max="101"' in part.content.decode()
    assert "<html" not in part.content.decode()

    bulk.continue_open(at=NOW)

    assert client.get(address, headers=DIALOG).headers["HX-Refresh"] == "true"
    assert "Für 101 von 101 Rufnummern erledigt." in text(client.get(address))
    assert 'href="?page=3"' in client.get(address).content.decode()


def test_the_result_is_a_file_too(cast, sign_in, mixed):
    client = sign_in(cast.alice)
    ids = [mixed["inactive"], mixed["porting"]]
    address = confirm(client, cast, verb="activate", ids=ids, changing=1, price_standard="2.90").headers["Location"]

    answer = client.get(f"{address}result.csv")
    lines = list(csv.reader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines(), delimiter=";"))

    assert lines == [
        ["Rufnummer", "Bezeichnung", "Ergebnis", "Grund"],
        ['="+493023125001"', "<i>Lager</i>", "erledigt", ""],
        [
            *('="+493023125004"', "", "abgelehnt"),
            "Die Rufnummer wird gerade portiert. Sie lässt sich ändern, sobald die Portierung abgeschlossen ist.",
        ],
    ]


def test_the_confirm_page_needs_the_same_statements_for_any_number_of_rows(cast, sign_in, clock):
    client, asked = sign_in(cast.alice), []
    client.get("/numbers/")
    for more in (1, 2, 47):
        with within(cast.acme, cast.alice):
            make.numbers(more, state="active")
        asked.append(statements(client, "/numbers/bulk/?verb=deactivate&everything=all"))

    assert len(set(asked)) == 1
    assert asked[0] <= 10
