"""Porting in, as the tenant does it: draft, numbers, what hinders, submit, dates, cancel, the temporary number."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.models import OneOffCharge, Slot
from numbers import lifecycle, port_codes, port_desk, port_numbers, porting, swap
from numbers.models import PhoneNumber, PortDocument, PortNumber, PortOrder
from numbers.porting import PortRefused
from portal import tenancy
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests import porting as ports
from tests.conftest import NOW

DAY_BEFORE = datetime(2026, 12, 7, 9, 0, tzinfo=UTC)
ON_THE_DAY = datetime(2026, 12, 8, 9, 0, tzinfo=UTC)


@pytest.fixture
def office(acme):
    ports.verified(acme)
    return acme


def fields(found):
    return sorted({problem.field for problem in found})


def mails(template):
    return list(
        OutboxMessage.objects.filter(template=template).order_by("recipient").values_list("recipient", flat=True)
    )


def test_an_empty_draft_says_everything_that_is_missing(office):
    order = ports.locked(porting.start(by=office.alice, at=NOW))

    assert fields(porting.problems(order, at=NOW)) == sorted(
        {
            *("document", "holder_name", "house_number", "numbers", "postcode", "provider", "remaining"),
            *("requested_on", "street", "town"),
        }
    )
    with pytest.raises(PortRefused) as refused:
        porting.submit(order, by=office.alice, at=NOW)
    assert fields(refused.value.problems) == fields(porting.problems(order, at=NOW))
    assert (order.state, ports.events(order)) == ("draft", [("begun", "0")])


def test_a_draft_keeps_what_is_wrong_and_goes_on_later(office):
    order = ports.draft(office, postcode="1011", requested_on=date(2026, 12, 25), holder_kind="person")

    again = PortOrder.objects.get(pk=order.pk)

    assert (again.postcode, again.requested_on, again.state) == ("1011", date(2026, 12, 25), "draft")
    assert fields(porting.problems(again, at=NOW)) == ["holder_addition", "postcode", "requested_on"]


def test_only_what_people_change_can_be_saved(office):
    order = ports.draft(office)

    with pytest.raises(TypeError, match="state"):
        porting.save(order, {"state": "confirmed"}, by=office.alice, at=NOW)


def test_a_change_leaves_what_was_and_what_is_in_the_trace(office):
    order = ports.draft(office)
    block = port_numbers.block("030 231257", "00", "19")
    work = (
        lambda: porting.save(order, {"street": "Neue Straße", "activate": True}, by=office.alice, at=NOW),
        lambda: porting.save(order, {"provider": ports.provider("D902"), "town": "Berlin"}, by=office.alice, at=NOW),
        lambda: porting.save(order, {"requested_on": None}, by=office.alice, at=NOW),
        lambda: porting.set_numbers(order, block, by=office.alice, at=NOW),
    )
    before = AuditEvent.objects.filter(verb="porting.saved").count()

    for act in (*work, *work):  # nothing is new the second time
        act()

    events = AuditEvent.objects.filter(verb="porting.saved").order_by("pk")[before:]
    ends = {"range_from": "", "range_until": "", "base_number": "", "kind": "single", "numbers": list(ports.NUMBERS)}
    now = {"range_from": "00", "range_until": "19", "base_number": "+4930231257", "kind": "block"}
    assert [(event.before, event.after) for event in events] == [
        ({"street": "Musterstraße", "activate": False}, {"street": "Neue Straße", "activate": True}),
        ({"provider": "Beispiel D901 (D901)"}, {"provider": "Beispiel D902 (D902)"}),
        ({"requested_on": "2026-12-08"}, {"requested_on": None}),
        (ends, now | {"numbers": "+493023125700 – +493023125719"}),
    ]


def test_a_step_leaves_the_dates_that_were_and_are_in_the_trace(office):
    order = ports.confirmed(office)
    porting.ask_date(order, date(2026, 12, 15), by=office.alice, at=NOW)
    port_desk.accept_change(order, by=office.olga, at=NOW)

    event = AuditEvent.objects.filter(verb="porting.date_set").latest("pk")
    assert (event.before["confirmed_on"], event.after["confirmed_on"]) == ("2026-12-08", "2026-12-15")
    assert (event.before["change_on"], event.after["change_on"]) == ("2026-12-15", None)


def test_submitting_claims_the_numbers_and_tells_the_operator(office):
    order = ports.submitted(office)

    assert (order.state, order.attempt, order.submitted_at, order.to_send) == ("submitted", 1, NOW, "order")
    assert set(PortNumber.objects.filter(order=order).values_list("e164", "open")) == {
        (e164, True) for e164 in ports.NUMBERS
    }
    assert ports.events(order) == [("begun", "0"), ("document", "1"), ("submitted", "1")]
    event = AuditEvent.objects.get(verb="porting.submitted")
    assert (event.object_id, event.actor_id, event.before["state"], event.after["state"]) == (
        order.pk,
        office.alice.pk,
        "draft",
        "submitted",
    )
    assert not PhoneNumber.objects.exists()


def test_a_number_of_an_area_without_verified_address_is_refused(office):
    order = ports.draft(office, "+496990009710")

    [problem] = porting.problems(order, at=NOW)
    assert (problem.field, "Adresse" in str(problem.sentence)) == ("numbers", True)


def test_numbers_of_two_areas_make_two_orders(office):
    make.verified_address("69")
    order = ports.draft(office, "+493023125710", "+496990009710")

    [problem] = porting.problems(order, at=NOW)
    assert "Ortsnetz" in str(problem.sentence)


def test_what_is_here_already_is_refused_without_saying_whose(office, as_operator):
    make.number("+493023125720")
    with tenancy.tenant_transaction(office.globex.pk):
        make.number("+493023125721")
        make.number("+493023125724", state="returned")
        ports.verified(office)
        ports.submitted(office, "+493023125722")
        ports.draft(office, "+493023125725")
    with as_operator():
        make.pool("030 2312599", size=10)
    mine = ports.submitted(office, "+493023125723")
    wanted = [f"+49302312572{n}" for n in range(6)] + ["+493023125991"]
    order = ports.draft(office, *wanted)

    found = porting.problems(order, at=NOW)

    assert [problem.e164 for problem in found] == [
        *("+493023125720", "+493023125721", "+493023125722", "+493023125723", "+493023125991")
    ]
    assert len({str(problem.sentence) for problem in found}) == 1
    assert "Globex" not in str(found[0].sentence)
    assert porting.problems(mine, at=NOW) == []  # its own claim is none against itself


def test_short_numbers_and_other_doubts_are_hints_only(office):
    order = ports.draft(office, "+49302312571", requested_on=date(2026, 12, 11))

    assert porting.problems(order, at=NOW) == []
    assert [(hint.field, hint.e164) for hint in porting.hints(order)] == [
        ("numbers", "+49302312571"),
        ("requested_on", ""),
        ("activate", ""),
    ]


@pytest.mark.parametrize(
    ("contract_ends_on", "field"),
    [(date(2026, 11, 30), None), (date(2026, 11, 7), "requested_on"), (date(2026, 10, 15), "contract_ends_on")],
)
def test_porting_is_possible_until_a_month_after_the_contract(office, contract_ends_on, field):
    order = ports.draft(office, contract_ends_on=contract_ends_on)

    assert [problem.field for problem in porting.problems(order, at=NOW)] == ([field] if field else [])


def test_activation_on_the_port_date_is_agreed_to_at_its_price(office):
    order = ports.draft(office, activate=True)

    with pytest.raises(lifecycle.PriceChanged):
        porting.submit(order, price_seen=Decimal("1.00"), by=office.alice, at=NOW)
    porting.submit(order, price_seen=Decimal("2.90"), by=office.alice, at=NOW)

    assert order.price_seen == Decimal("2.90")


def test_porting_costs_nothing(office):
    order = ports.completed(office, at=ON_THE_DAY)

    assert order.state == "completed"
    assert not OneOffCharge.objects.exists()
    assert not Slot.objects.exists()


def test_versions_of_the_signed_form_are_kept(office):
    order = ports.draft(office)
    file = {"name": f"{'b' * 32}.pdf", "pages": 1, "size": 9, "code": ports.code(order)}
    porting.add_document(order, **file, by=office.alice, at=NOW)

    assert list(PortDocument.objects.filter(order=order).order_by("version").values_list("version", "pages")) == [
        (1, 2),
        (2, 1),
    ]


def test_a_rejected_order_is_corrected_and_submitted_again(office):
    order = ports.submitted(office)
    port_desk.reject(order, "ADF", by=office.olga, at=NOW)
    assert (order.state, order.code, port_codes.FIELD_OF[order.code]) == ("rejected", "ADF", "street")

    porting.save(order, {"street": "Musterstrasse"}, by=office.alice, at=NOW)
    ports.signed(office, order)
    porting.submit(order, by=office.alice, at=NOW)

    assert (order.state, order.attempt, order.code, order.to_send) == ("submitted", 2, "", "order")
    assert PortOrder.objects.count() == 1
    assert PortNumber.objects.filter(order=order, open=True).count() == 2
    assert ports.events(order)[-4:] == [("submitted", "1"), ("rejected", "1"), ("document", "2"), ("submitted", "2")]
    assert mails("numbers/port_rejected") == ["alice@acme.example", "erika@partner.example"]


def test_a_rejected_order_without_a_correction_is_submitted_with_the_form_it_has(office):
    order = ports.submitted(office)
    port_desk.reject(order, "SON", "bitte erneut senden", by=office.olga, at=NOW)

    porting.save(order, {"street": "Musterstraße", "activate": True}, by=office.alice, at=NOW)  # neither is new there
    porting.submit(order, price_seen=Decimal("2.90"), by=office.alice, at=NOW)

    assert (order.state, order.attempt, PortDocument.objects.count()) == ("submitted", 2, 1)


def test_numbers_let_go_by_a_correction_are_free_for_others(office):
    order = ports.submitted(office)
    port_desk.reject(order, "RNG", by=office.olga, at=NOW)

    porting.set_numbers(order, port_numbers.singles("030 23125710"), by=office.alice, at=NOW)

    assert port_numbers.taken(ports.NUMBERS, own=None) == ["+493023125710"]
    ports.signed(office, order)
    porting.submit(order, by=office.alice, at=NOW)
    assert port_numbers.taken(ports.NUMBERS, own=None) == ["+493023125710"]


def test_another_date_is_asked_for_until_a_day_before(office):
    order = ports.confirmed(office)

    porting.ask_date(order, date(2026, 12, 15), by=office.alice, at=NOW)

    assert (order.state, order.confirmed_on, order.change_on, order.to_send) == (
        *("confirmed", ports.ON),
        *(date(2026, 12, 15), "change"),
    )
    with pytest.raises(PortRefused, match="bereits"):
        porting.ask_date(order, date(2026, 12, 16), by=office.alice, at=NOW)
    port_desk.refuse_change(order, "Kein Techniker frei", by=office.olga, at=NOW)
    assert (order.confirmed_on, order.change_on) == (ports.ON, None)
    with pytest.raises(PortRefused) as refused:
        porting.ask_date(order, date(2026, 12, 26), by=office.alice, at=NOW)
    assert refused.value.field == "requested_on"
    with pytest.raises(PortRefused, match="24 Stunden"):
        porting.ask_date(order, date(2026, 12, 22), by=office.alice, at=DAY_BEFORE)


def test_cancelling_frees_the_numbers_until_a_day_before(office):
    order = ports.confirmed(office)
    with pytest.raises(PortRefused, match="24 Stunden"):
        porting.cancel(order, by=office.alice, at=DAY_BEFORE)

    porting.cancel(order, by=office.alice, at=NOW)

    assert (order.state, order.confirmed_on, order.to_send) == ("cancelled", None, "cancellation")
    assert port_numbers.taken(ports.NUMBERS, own=None) == []
    with pytest.raises(PortRefused, match="storniert"):
        porting.cancel(order, by=office.alice, at=NOW)
    port_desk.note_sent(order, reference="", by=office.olga, at=NOW)
    assert (order.state, order.to_send) == ("cancelled", "")


def test_an_order_the_old_provider_never_saw_is_cancelled_silently(office):
    order = ports.submitted(office)

    porting.cancel(order, by=office.alice, at=NOW)

    assert (order.state, order.to_send) == ("cancelled", "")


def test_the_operator_cancels_with_a_reason_that_the_tenant_reads(office):
    order = ports.submitted(office)
    with pytest.raises(PortRefused) as refused:
        porting.cancel(order, by=office.olga, at=NOW)
    assert refused.value.field == "reason"

    porting.cancel(order, reason="Doppelt bestellt", by=office.olga, at=NOW)

    assert mails("numbers/port_cancelled") == ["alice@acme.example", "erika@partner.example"]


def test_the_temporary_number_is_replaced_in_one_step(office):
    temporary = make.number("+493023125730", state="active")
    order = ports.completed(office, at=ON_THE_DAY, temporary=temporary, activate=False)

    outcome = porting.replace_temporary(order, by=office.alice, at=ON_THE_DAY)

    assert outcome.result == "done"
    states = dict(PhoneNumber.objects.values_list("e164", "state"))
    assert states == {"+493023125710": "active", "+493023125711": "inactive", "+493023125730": "inactive"}
    assert list(Slot.objects.values_list("label", "until_on")) == [("+493023125710", None)]
    back = {
        number.e164: number for number in PhoneNumber.objects.locked(PhoneNumber.objects.values_list("pk", flat=True))
    }
    swap.swap(back["+493023125710"], back["+493023125730"], by=office.alice, at=ON_THE_DAY)
    with pytest.raises(PortRefused, match="ersetzt"):
        porting.replace_temporary(order, by=office.alice, at=ON_THE_DAY)
    assert ports.events(order)[-1] == ("replaced", "0")


def test_without_a_temporary_number_nothing_is_replaced(office):
    order = ports.completed(office, at=ON_THE_DAY)

    with pytest.raises(PortRefused, match="Übergangsrufnummer"):
        porting.replace_temporary(order, by=office.alice, at=ON_THE_DAY)


@pytest.mark.parametrize("other", [{"state": "inactive"}, {"state": "active", "price_class": "premium"}])
def test_a_temporary_number_has_to_be_active_at_the_price_of_a_ported_one(office, other):
    order = ports.draft(office, temporary=make.number("+493023125731", **other))

    problem = porting.problems(order, at=NOW)[0]
    assert (problem.field, str(problem.sentence)) == ("temporary", str(port_numbers.NO_TEMPORARY))
