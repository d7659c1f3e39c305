"""The operator's console around calls: quarantine with a way to try again, disputes opened and closed."""

import html

import pytest
from django.urls import reverse

from numbers import intake
from numbers.models import CallRecord, Dispute, IntakeLine, PhoneNumber
from portal.models import AuditEvent
from portal.tenancy import tenant_transaction
from tests import calling, make
from tests.portal.test_operator_console import console  # noqa: F401 -- the fixture

NOT_OURS = "+493023125999"


@pytest.fixture
def number(cast):
    calling.make_months()
    with tenant_transaction(cast.acme.pk):
        return make.number("+493023125010", state="active")


def act(client, model, name, *rows):
    url = reverse(f"admin:numbers_{model}_changelist")
    return client.post(url, {"action": name, "_selected_action": [row.pk for row in rows]})


def test_quarantine_shows_number_and_reason_but_no_called_number(number, console):  # noqa: F811 -- the fixture
    line = calling.line(NOT_OURS, calling.days_ago(1))
    calling.take(line)

    text = console.get(reverse("admin:numbers_intakeline_changelist")).content.decode()
    detail = console.get(reverse("admin:numbers_intakeline_change", args=[IntakeLine.objects.get().pk]))

    assert NOT_OURS in text
    assert str(intake.REASONS["unknown_number"]) in html.unescape(text)
    assert line["peer"] not in text
    assert line["peer"] not in detail.content.decode()


def test_try_again_leads_a_call_to_its_number(number, console, as_operator):  # noqa: F811 -- the fixture
    calling.take(calling.line(NOT_OURS, calling.days_ago(1)))

    answer = act(console, "intakeline", "try_again", IntakeLine.objects.get())

    assert answer.status_code == 302
    assert IntakeLine.objects.get().reason == ""
    assert AuditEvent.objects.filter(verb="intake.tried_again").count() == 1


def test_a_dispute_is_opened_and_closed_in_the_console(number, console, cast):  # noqa: F811 -- the fixture
    fields = {"tenant": cast.acme.pk, "number": number.pk, "month": "2026-10-05", "reason": "zu teuer"}

    opened = console.post(reverse("admin:numbers_dispute_add"), fields)
    again = console.post(reverse("admin:numbers_dispute_add"), fields, follow=True)

    assert opened.status_code == 302
    row = Dispute.objects.get()
    assert (row.month.day, row.number_id, row.closed_at) == (1, number.pk, None)
    assert Dispute.objects.count() == 1
    assert again.status_code == 200
    act(console, "dispute", "close", row)
    row.refresh_from_db()
    assert row.closed_at
    assert set(AuditEvent.objects.filter(object_type="dispute").values_list("verb", flat=True)) == {
        "dispute.opened",
        "dispute.closed",
    }


def test_a_dispute_cannot_be_opened_over_another_tenants_number(number, console, cast):  # noqa: F811 -- the fixture
    fields = {"tenant": cast.globex.pk, "number": number.pk, "month": "2026-10-01", "reason": "x"}

    console.post(reverse("admin:numbers_dispute_add"), fields)

    assert not Dispute.objects.exists()
    assert PhoneNumber.objects.exists()
    assert not CallRecord.objects.exists()
