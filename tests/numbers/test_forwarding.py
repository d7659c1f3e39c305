import itertools
from contextlib import nullcontext
from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation
from hypothesis import example, given
from hypothesis import strategies as st

from numbers import forwarding
from numbers.forwarding import ForwardingRefused
from numbers.models import Forwarding, PhoneNumber
from portal.models import AuditEvent
from portal.tenancy import tenant_transaction
from tests import make

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

READABLE = [
    ("030 / 23125-012", "+493023125012"),
    ("+49 (0)30 23125012", "+493023125012"),
    ("tel:+49-30-23125-012", "+493023125012"),
    ("\u202a+49 30 23125012\u202c", "+493023125012"),
    ("0170 1234567", "+491701234567"),
    ("0800 1234567", "+498001234567"),
    ("032 12345678", "+493212345678"),
    ("0041 44 668 18 00", "+41446681800"),
    ("+43 1 5134567", "+4315134567"),
    ("sip:empfang@telefon.example", "sip:empfang@telefon.example"),
    ("SIPS:empfang@telefon.example:5061", "sips:empfang@telefon.example:5061"),
    (" empfang@telefon.example ", "sip:empfang@telefon.example"),
    ("100+x_y.z-1@a.example", "sip:100+x_y.z-1@a.example"),
]
EMERGENCY = "Emergency numbers cannot be a destination."
SERVICE = "Service and premium-rate numbers cannot be a destination."
PREMIUM = "Premium-rate numbers cannot be a destination."
NOT_SIP = "This is not a SIP address. Example: sip:reception@phone.example"
REFUSED = [
    *((text, EMERGENCY) for text in ("112", "110", "11 2", "1-1-0", "0112", "+49112", "0049 110", "+49 (0)112")),
    *((text, SERVICE) for text in ("115", "116 117", "118 33", "0118 33", "+49 11833", "19222", "010 12 030 23125012")),
    *(
        (text, SERVICE)
        for text in ("0900 1234567", "+49 900 1234567", "0180 5 123456", "0137 123456", "0138 1", "0190 1")
    ),
    *((text, PREMIUM) for text in ("+43 900 123456", "+41 901 123456", "+1 900 5551234", "+979 123456789")),
    ("23125012", "The area code is missing."),
    ("030", "This number is too short or too long."),
    ("030 110", "This number is too short or too long."),
    ("030 231250123456", "This number is too short or too long."),
    ("00221 4710300", "This number is too short or too long."),
    ("00221 471030012", "There is no such number in that country. Please check it."),
    ("", "This is not a phone number."),
    ("Zentrale", "This is not a phone number."),
    ("+49 30 23125012 +49 30 23125013", "This is not a phone number."),
    ("sip:", NOT_SIP),
    ("sip:empfang", NOT_SIP),
    ("a b@telefon.example", NOT_SIP),
    ("empfang@", NOT_SIP),
    ("empfang@tele fon.example", NOT_SIP),
    ("empfang@-telefon.example", NOT_SIP),
    ("sip:empfang@telefon.example;transport=tcp", NOT_SIP),
    ("sip:a@b.example\nsip:c@d.example", NOT_SIP),
    ("http://telefon.example/@x", NOT_SIP),
    (f"{'a' * 61}@telefon.example", NOT_SIP),
]


@pytest.mark.parametrize(("text", "destination"), READABLE)
def test_read_destination_takes_numbers_and_sip_addresses(text, destination):
    assert forwarding.read_destination(text) == destination
    assert forwarding.read_destination(destination) == destination


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_read_destination_refuses_and_says_why(text, reason):
    with pytest.raises(ForwardingRefused) as refused:
        forwarding.read_destination(text)

    with translation.override("en"):
        assert str(refused.value.reason) == reason


@given(st.one_of(st.text(max_size=30), st.from_regex(r"\+?[0-9 /()\-]{0,20}", fullmatch=True)))
@example("0110000")
def test_read_destination_never_fails_otherwise_and_is_stable(text):
    try:
        destination = forwarding.read_destination(text)
    except ForwardingRefused:
        return
    assert forwarding.read_destination(destination) == destination
    assert len(destination) <= 120
    national = destination.removeprefix("+49")
    assert not national.startswith(("110", "112", "900", "118", "0")) or not destination.startswith("+49")


def set_rule(acme, number, destination, when="always", after_seconds=None):
    locked = PhoneNumber.objects.locked([number.pk])[0]
    forwarding.set_rule(locked, when=when, destination=destination, after_seconds=after_seconds, by=acme.alice, at=NOW)


def test_set_rule_keeps_one_rule_per_case_and_leaves_a_trace(acme):
    number = make.number(state="active")

    set_rule(acme, number, "+494066969200")
    set_rule(acme, number, "+494066969201")
    set_rule(acme, number, "sip:empfang@telefon.example", "no_answer", 20)

    assert list(Forwarding.objects.order_by("when").values_list("when", "destination", "after_seconds")) == [
        ("always", "+494066969201", None),
        ("no_answer", "sip:empfang@telefon.example", 20),
    ]
    changes = AuditEvent.objects.order_by("id").values_list("verb", "before__destination", "after__destination")
    assert list(changes) == [
        ("number.forwarded", None, "+494066969200"),
        ("number.forwarded", "+494066969200", "+494066969201"),
        ("number.forwarded", None, "sip:empfang@telefon.example"),
    ]


def test_set_rule_that_is_there_already_leaves_no_trace(acme):
    number = make.number(state="active")

    for _ in range(2):
        set_rule(acme, number, "+494066969200")

    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "inactive"},
        {"state": "port_in_pending"},
        {"state": "returned"},
        {"state": "deactivation_scheduled", "last_active_on": date(2026, 11, 22)},
    ],
)
def test_set_rule_refuses_a_number_out_of_service(acme, fields):
    number = make.number(**fields)

    with pytest.raises(ForwardingRefused):
        set_rule(acme, number, "+494066969200")

    assert not Forwarding.objects.exists()


def test_set_rule_works_until_the_last_active_day(acme):
    set_rule(acme, make.number(state="deactivation_scheduled", last_active_on=NOW.date()), "+494066969200")

    assert Forwarding.objects.count() == 1


def test_set_rule_refuses_the_number_itself(acme):
    number = make.number(state="active")

    with pytest.raises(ForwardingRefused, match="sich selbst"):
        set_rule(acme, number, number.e164)


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"state": "inactive"}, True),
        ({"state": "deactivation_scheduled", "last_active_on": date(2026, 11, 22)}, True),
        ({"state": "deactivation_scheduled", "last_active_on": date(2026, 11, 23)}, False),
        ({"state": "port_in_pending"}, False),
        ({"state": "returned"}, False),
    ],
)
def test_set_rule_leads_to_no_own_number_out_of_service(acme, fields, refused):
    """One whose deactivation is due is inactive, job or no job (rule C3); one that is ported in works elsewhere."""
    number, destination = make.number(state="active"), make.number(**fields)

    with pytest.raises(ForwardingRefused, match="nicht aktiv") if refused else nullcontext():
        set_rule(acme, number, destination.e164)

    assert Forwarding.objects.exists() is not refused


@pytest.mark.parametrize("length", [2, 3, 7])
@pytest.mark.parametrize("when", ["always", "busy"])
def test_set_rule_refuses_to_close_a_loop_of_any_length(acme, length, when):
    ring = [make.number(state="active") for _ in range(length)]
    for one, other in itertools.pairwise(ring):
        set_rule(acme, one, other.e164, when)

    with pytest.raises(ForwardingRefused, match="Schleife"):
        set_rule(acme, ring[-1], ring[0].e164)

    assert Forwarding.objects.count() == length - 1


def test_set_rule_takes_a_diamond_which_is_no_loop(acme):
    top, left, right, bottom = (make.number(state="active") for _ in range(4))

    set_rule(acme, top, left.e164)
    set_rule(acme, top, right.e164, "busy")
    set_rule(acme, left, bottom.e164)
    set_rule(acme, right, bottom.e164)

    assert Forwarding.objects.count() == 4


def test_set_rule_may_replace_the_rule_that_would_make_the_loop(acme):
    one, other = make.number(state="active"), make.number(state="active")
    set_rule(acme, one, other.e164)
    set_rule(acme, one, "+494066969200")

    set_rule(acme, other, one.e164)

    assert Forwarding.objects.count() == 2


def test_a_loop_through_another_tenant_is_not_followed(cast):
    with tenant_transaction(cast.globex.pk):
        theirs = make.number(state="active")
        locked = PhoneNumber.objects.locked([theirs.pk])[0]
        forwarding.set_rule(
            locked, when="always", destination="+493023125900", after_seconds=None, by=cast.carl, at=NOW
        )
    with tenant_transaction(cast.acme.pk):
        set_rule(cast, make.number("+493023125900", state="active"), theirs.e164)

        assert Forwarding.objects.count() == 1


def test_remove_rule_leaves_a_trace_and_the_other_cases(acme):
    number = make.number(state="active")
    set_rule(acme, number, "+494066969200")
    set_rule(acme, number, "+494066969201", "busy")
    locked = PhoneNumber.objects.locked([number.pk])[0]

    assert forwarding.remove_rule(locked, when="busy", by=acme.alice, at=NOW) is True
    assert forwarding.remove_rule(locked, when="busy", by=acme.alice, at=NOW) is False

    assert Forwarding.objects.get().when == "always"
    event = AuditEvent.objects.latest("id")
    assert (event.verb, event.before["destination"], event.after) == (
        "number.forwarding_removed",
        "+494066969201",
        {},
    )


@pytest.mark.parametrize(
    ("when", "after_seconds"), [("no_answer", 4), ("no_answer", 121), ("no_answer", None), ("busy", 20)]
)
def test_the_database_refuses_impossible_seconds(acme, when, after_seconds):
    number = make.number(state="active")

    with pytest.raises(IntegrityError), transaction.atomic():
        set_rule(acme, number, "+494066969200", when, after_seconds)
