from datetime import UTC, date, datetime

import pytest
import time_machine

from billing.models import Slot
from numbers.models import Forwarding, PhoneNumber
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.conftest import NOW
from tests.numbers.confirming import DIALOG, said, send, text, within

SEEN = "2026-12-31"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travelled:
        yield travelled


@pytest.fixture
def number(cast):
    with within(cast.acme, cast.alice):
        number = make.number("+493023125012", state="active", label="Empfang")
        Forwarding.objects.create(number=number, when="always", destination="+494066969001", changed_at=NOW)
        return number


def url(number):
    return f"/numbers/{number.pk}/deactivate/"


def effects(cast):
    with within(cast.acme, cast.alice):
        return (
            list(PhoneNumber.objects.order_by("pk").values_list("state", "last_active_on")),
            list(Slot.objects.order_by("pk").values_list("until_on", flat=True)),
            list(AuditEvent.objects.order_by("pk").values_list("verb", flat=True)),
            list(OutboxMessage.objects.order_by("pk").values_list("template", flat=True)),
        )


NOTHING = ([("active", None)], [None], [], [])


def scheduled_for(day, until):
    mails = ["numbers/deactivation_scheduled"]
    return ([("deactivation_scheduled", day)], [until], ["number.deactivation_scheduled"], mails)


SCHEDULED = scheduled_for(date(2026, 12, 31), date(2027, 1, 1))


def test_deactivate_shows_both_dates_and_what_stops_working(cast, sign_in, number):
    page = text(sign_in(cast.alice).get(url(number)))

    for part in (
        *("aktiv bis einschließlich 31.12.2026 , inaktiv ab 01.01.2027", "Weiterleitung immer auf"),
        *("Sie können die Vormerkung jederzeit zurücknehmen", "kostenneutral", "Sie bleibt Ihre Rufnummer"),
        *("Dies ist Ihre letzte aktive Rufnummer", "Rufnummer jetzt deaktivieren", "Abbrechen"),
    ):
        assert part in page
    assert effects(cast) == NOTHING


def test_deactivate_does_not_warn_while_another_number_stays_active(cast, sign_in, number):
    with within(cast.acme, cast.alice):
        make.number(state="active")

    assert "letzte aktive Rufnummer" not in text(sign_in(cast.alice).get(url(number)))


def test_deactivate_works_leaves_a_trace_and_confirms(cast, sign_in, number):
    answer = send(sign_in(cast.alice), url(number), cast.acme, date_seen=SEEN)

    assert answer.status_code == 302
    assert said(answer) == [
        "Die Rufnummer 030 23125012 ist zur Deaktivierung vorgemerkt:"
        " aktiv bis einschließlich 31.12.2026, inaktiv ab 01.01.2027."
    ]
    assert effects(cast) == SCHEDULED


def test_deactivate_answers_htmx_with_exclamation_mark_and_date(cast, sign_in, number):
    answer = send(sign_in(cast.alice), url(number), cast.acme, date_seen=SEEN, headers=DIALOG)

    assert answer.status_code == 200
    assert "dialog:close" in answer.headers["HX-Trigger"]
    assert '<span class="p-badge p-badge-warn">Deaktivierung vorgemerkt zum\u00a031.12.2026</span>' in (
        answer.content.decode()
    )
    assert f"/numbers/{number.pk}/withdraw/" in answer.content.decode()


def test_deactivate_is_done_once_however_often_it_is_sent(cast, sign_in, number):
    client, key = sign_in(cast.alice), "8a0b6f0e-34a4-4c43-9a6c-0d2f8c6f0b12"

    answers = [send(client, url(number), cast.acme, date_seen=SEEN, operation_id=key) for _ in range(2)]

    assert said(answers[0]) == said(answers[1])
    assert effects(cast) == SCHEDULED


def test_deactivate_asks_again_when_midnight_moved_the_date(cast, sign_in, number, clock):
    clock.move_to(datetime(2026, 11, 30, 22, 59, tzinfo=UTC))
    client = sign_in(cast.alice)
    assert 'name="date_seen" value="2026-12-31"' in client.get(url(number)).content.decode()
    clock.move_to(datetime(2026, 11, 30, 23, 0, tzinfo=UTC))

    answer = send(client, url(number), cast.acme, date_seen=SEEN, headers=DIALOG)

    assert answer.status_code == 422
    assert "wäre jetzt bis einschließlich 31.01.2027 aktiv" in text(answer)
    assert 'name="date_seen" value="2027-01-31"' in answer.content.decode()
    assert effects(cast) == NOTHING

    send(client, url(number), cast.acme, date_seen="2027-01-31")
    assert effects(cast) == scheduled_for(date(2027, 1, 31), date(2027, 2, 1))


@pytest.mark.parametrize("seen", ["", "31.12.2026", "2026-13-01", "x"])
def test_deactivate_without_the_date_it_showed_changes_nothing(cast, sign_in, number, seen):
    assert send(sign_in(cast.alice), url(number), cast.acme, date_seen=seen).status_code == 422
    assert effects(cast) == NOTHING


def test_scheduling_twice_keeps_the_first_date(cast, sign_in, number, clock):
    send(sign_in(cast.alice), url(number), cast.acme, date_seen=SEEN)
    clock.move_to(datetime(2026, 12, 5, 10, 0, tzinfo=UTC))
    client = sign_in(cast.alice)

    page, answer = client.get(url(number)), send(client, url(number), cast.acme, date_seen="2027-01-31")

    assert "es bleibt beim ersten Termin" in text(page)
    assert "Rufnummer jetzt deaktivieren" not in text(page)
    assert f'href="/numbers/{number.pk}/withdraw/"' in page.content.decode()
    assert "es bleibt beim ersten Termin" in said(answer)[0]
    assert effects(cast) == SCHEDULED


def test_deactivating_an_inactive_number_is_refused_with_the_present_row(cast, sign_in):
    with within(cast.acme, cast.alice):
        number = make.number("+493023125012")

    answer = send(sign_in(cast.alice), url(number), cast.acme, date_seen=SEEN, headers=DIALOG)

    assert answer.status_code == 409
    assert "nicht aktiv" in text(answer)
    assert f"<tr id=row-{number.pk} role=row>" in answer.content.decode()
    assert effects(cast) == ([("inactive", None)], [], [], [])
