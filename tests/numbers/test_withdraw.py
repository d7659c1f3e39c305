from datetime import UTC, date, datetime

import pytest
import time_machine

from billing.models import Slot
from numbers.models import PhoneNumber
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.conftest import NOW
from tests.numbers.confirming import DIALOG, said, send, text, within


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travelled:
        yield travelled


@pytest.fixture
def number(cast):
    with within(cast.acme, cast.alice):
        return make.number("+493023125012", state="deactivation_scheduled", last_active_on=date(2026, 12, 31))


def url(number):
    return f"/numbers/{number.pk}/withdraw/"


def effects(cast):
    with within(cast.acme, cast.alice):
        return (
            list(PhoneNumber.objects.values_list("state", "last_active_on")),
            list(Slot.objects.values_list("until_on", flat=True)),
            list(AuditEvent.objects.order_by("pk").values_list("verb", flat=True)),
            list(OutboxMessage.objects.values_list("template", flat=True)),
        )


WITHDRAWN = (
    *([("active", None)], [None]),
    *(["number.deactivation_withdrawn"], ["numbers/deactivation_withdrawn"]),
)


def test_withdraw_asks_first(cast, sign_in, number):
    page = text(sign_in(cast.alice).get(url(number)))

    assert "zur Deaktivierung zum 31.12.2026 vorgemerkt" in page
    assert "Vormerkung zurücknehmen" in page
    assert "Abbrechen" in page


def test_withdraw_works_leaves_a_trace_and_confirms(cast, sign_in, number):
    answer = send(sign_in(cast.alice), url(number), cast.acme)

    assert answer.status_code == 302
    assert said(answer) == [
        "Die Vormerkung der Rufnummer 030 23125012 wurde zurückgenommen. Die Rufnummer bleibt aktiv."
    ]
    assert effects(cast) == WITHDRAWN


def test_withdraw_works_up_to_the_last_instant(cast, sign_in, number, clock):
    clock.move_to(datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC))

    send(sign_in(cast.alice), url(number), cast.acme)

    assert effects(cast) == WITHDRAWN


def test_withdraw_comes_too_late_once_it_has_taken_effect(cast, sign_in, number, clock):
    clock.move_to(datetime(2026, 12, 31, 23, 0, 0, tzinfo=UTC))

    answer = send(sign_in(cast.alice), url(number), cast.acme, headers=DIALOG)

    assert answer.status_code == 409
    assert "um die Rufnummer wieder zu nutzen, aktivieren Sie sie" in text(answer)
    assert effects(cast)[:3] == ([("inactive", None)], [date(2027, 1, 1)], ["number.deactivated"])


def test_withdraw_is_done_once_however_often_it_is_sent(cast, sign_in, number):
    client, key = sign_in(cast.alice), "8a0b6f0e-34a4-4c43-9a6c-0d2f8c6f0b13"

    answers = [send(client, url(number), cast.acme, operation_id=key) for _ in range(2)]

    assert said(answers[0]) == said(answers[1])
    assert effects(cast) == WITHDRAWN


def test_withdrawing_twice_says_that_there_is_nothing_to_withdraw(cast, sign_in, number):
    client = sign_in(cast.alice)
    send(client, url(number), cast.acme)

    answer = send(client, url(number), cast.acme)

    assert "nicht zur Deaktivierung vorgemerkt" in said(answer)[0]
    assert effects(cast) == WITHDRAWN


def test_withdraw_leads_back_to_a_swap_that_sent_here(cast, sign_in, number):
    swap = f"/numbers/swap/?old={number.pk}"

    page = sign_in(cast.alice).get(url(number), headers={"Referer": f"http://testserver{swap}"})

    assert f'name="back" value="{swap}"' in page.content.decode()
