"""Lists of calls and the itemised bill: who sees what, how it is masked, the same in page, CSV and PDF (A3, T5)."""

import csv
import html
import io
import re
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pypdfium2
import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from numbers import calls, itemisation, notation, paper, typesetting
from numbers.call_lines import peer
from numbers.models import CallRecord, CallRetention, Helpline, ItemisationOrder
from portal.access import tenant_token
from portal.models import AuditEvent, OutboxMessage
from portal.tenancy import tenant_transaction
from staff import settings as staff_settings
from staff.models import StaffMember
from tests import calling, make
from tests.conftest import NOW

MONTH = {"year": 2026, "month": 11}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def number(cast):
    calling.make_months()
    with tenant_transaction(cast.acme.pk):
        return make.number("+493023125010", state="active")


def ordered(cast, *, masked=False, at=datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC)):
    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        return itemisation.order(masked=masked, declaration=itemisation.DECLARATION, by=cast.alice, at=at)


def look(client, name, **where):
    return client.get(reverse(f"numbers:{name}", kwargs=where))


def files(client):
    bill, paper = (look(client, "itemised_file", form=form, **MONTH) for form in ("csv", "pdf"))
    rows = list(csv.reader(io.StringIO(bill.content.decode("utf-8-sig")), delimiter=";"))[1:]
    document = pypdfium2.PdfDocument(paper.content)
    text = "\n".join(page.get_textpage().get_text_bounded() for page in document)
    return rows, text


def of_page(text):
    """Return the rows of a page: time, own number, direction, other number, duration, result, cost."""
    rows = [
        re.findall(r'role="cell".*?>(.*?)</td>', row, re.S)
        for row in re.findall(r'<tr role="row">.*?</tr>', text, re.S)
    ]
    moments = [datetime.fromisoformat(at) for at in re.findall(r'<time datetime="([^"]+)"', text)]
    cells = [[plain(cell) for cell in row[1:]] for row in rows if row]
    return [[f"{at:%Y-%m-%d %H:%M:%S}", *row] for at, row in zip(moments, cells, strict=True)]


def of_paper(text):
    """Return the rows of the PDF's text likewise: its lines, from one time to the next."""
    found = re.split(r"(\d{2})\.(\d{2})\.(\d{4}) (\d{2}:\d{2}:\d{2})", " ".join(plain(text).split()))[1:]
    lines = zip(*(found[place::5] for place in range(5)), strict=True)
    return [(f"{year}-{month}-{day} {time}", rest.strip()) for day, month, year, time, rest in lines]


def plain(text):
    return html.unescape(re.sub(r"<[^>]+>", "", text)).replace("\xa0", " ").strip()


def test_page_csv_and_pdf_agree_row_by_row(cast, number, sign_in):
    ordered(cast, masked=True)
    with tenant_transaction(cast.acme.pk):
        other = make.number("+493023125811", state="active")
    lines = [
        calling.line(
            (number, other)[hour % 2],
            calling.days_ago(3, hour=hour),
            peer=f"+49221471{hour:02}{hour:02}",
            talk=61 * hour,
            cost_micro=hour * 9_100,
            direction="in" if hour % 5 == 0 else "out",
            reverse_charged=hour % 5 == 0,
        )
        for hour in range(5, 17)
    ]
    calling.take(*lines)
    alice = sign_in(cast.alice)

    page = of_page(look(alice, "itemised_bill", **MONTH).content.decode())
    rows, text = files(alice)
    paper = of_paper(text)

    assert len(page) == len(rows) == len(paper) == 12
    for shown, row, (at, rest) in zip(page, rows, paper, strict=True):
        day, time, own, direction, peer_cell, seconds, result, cost = row
        assert shown[0] == at == f"{day} {time}"
        duration = calls.duration(int(seconds))
        assert shown[2:] == [direction, shown[3], duration, result, shown[6]]
        assert rest.startswith(" ".join(shown[1:]))  # the last line has the sum behind it
        assert notation.unquoted(own) == "+49" + re.sub(r"\D", "", shown[1]).removeprefix("0")
        assert notation.unquoted(peer_cell) == "+49" + re.sub(r"[^\dx]", "", shown[3]).removeprefix("0")
        assert peer_cell.endswith('xxx"')
        assert float(cost.replace(",", ".")) == pytest.approx(float(shown[6].split()[0].replace(",", ".")), abs=0.005)


@pytest.mark.parametrize("masked", [True, False])
def test_masking_helplines_and_reverse_charge_are_the_same_everywhere(cast, number, sign_in, as_operator, masked):
    ordered(cast, masked=masked)
    with as_operator():
        Helpline.objects.create(number=peer("0221 4710 777"), name="help")
    calling.take(
        calling.line(number, calling.days_ago(1), peer="+492214710123"),
        calling.line(number, calling.days_ago(1), peer="+492214710777"),
        calling.line(number, calling.days_ago(1), peer="+492214710456", direction="in", reverse_charged=True),
        calling.line(number, calling.days_ago(1), peer="+492214710888", direction="in"),
    )
    alice = sign_in(cast.alice)

    pages = [look(alice, "itemised_bill", **MONTH), look(alice, "calls", pk=number.pk)]
    rows, text = files(alice)

    written = [re.sub(r"\s|&nbsp;", "", each) for each in (*(p.content.decode() for p in pages), text)]
    for each in (*written, "".join(map("".join, rows))):
        assert ("4710123" in each) is not masked
        assert ("4710xxx" in each) is True
        assert "4710777" not in each
        assert "4710456" not in each
        assert "4710888" not in each


def test_calls_before_the_order_are_never_listed(cast, number, sign_in):
    ordered(cast, at=calling.days_ago(5))
    calling.take(calling.line(number, calling.days_ago(1)))
    alice = sign_in(cast.alice)

    assert look(alice, "itemised_bill", **MONTH).status_code == 404
    assert "4710" not in look(alice, "calls", pk=number.pk).content.decode()


def test_a_withdrawal_stops_this_month_and_leaves_those_that_are_over(cast, number, acme, sign_in):
    ordered(cast, at=calling.on("2026-08-15T10:00:00+00:00"))
    calling.take(calling.line(number, calling.days_ago(1)), calling.line(number, calling.days_ago(40)))
    itemisation.withdraw(by=cast.alice, at=NOW)

    assert itemisation.spans() == [itemisation.Span(date(2026, 9, 1), date(2026, 11, 1), False)]
    assert calls.listed(itemisation.spans()).count() == 1


def test_order_needs_the_declaration(cast, number, sign_in):
    alice, url = sign_in(cast.alice), reverse("numbers:itemisation_order")
    fields = {"_tenant": tenant_token(cast.acme.pk), "operation_id": str(uuid4()), "numbers": "masked"}
    fields["declaration"] = itemisation.DECLARATION

    refused = alice.post(url, fields)
    done = alice.post(url, fields | {"declared": "on"})
    again = alice.post(url, fields | {"declared": "on", "operation_id": str(uuid4())})

    assert (refused.status_code, done.status_code, again.status_code) == (422, 302, 422)
    with tenant_transaction(cast.acme.pk):
        row = ItemisationOrder.objects.get()
        assert (row.masked, row.declaration, row.ordered_by) == (True, itemisation.DECLARATION, cast.alice)
        assert AuditEvent.objects.filter(tenant=cast.acme, verb="itemised_bill.ordered").count() == 1


def mailed():
    return sorted(OutboxMessage.objects.values_list("template", "recipient"))


def send(client, cast, name, **fields):
    said = {"_tenant": tenant_token(cast.acme.pk), "operation_id": str(uuid4())} | fields
    return client.post(reverse(f"numbers:{name}"), said)


def test_order_and_withdrawal_are_told_to_every_administrator(cast, number, acme):
    itemisation.order(masked=True, declaration=itemisation.DECLARATION, by=cast.alice, at=NOW)
    assert mailed() == [
        ("numbers/itemisation_ordered", "alice@acme.example"),
        ("numbers/itemisation_ordered", "erika@partner.example"),
    ]

    assert itemisation.withdraw(by=cast.erika, at=NOW)
    assert not itemisation.withdraw(by=cast.erika, at=NOW)
    assert [template for template, _ in mailed()].count("numbers/itemisation_withdrawn") == 2


def test_a_withdrawal_sent_twice_counts_once(cast, number, sign_in):
    ordered(cast)
    alice, key = sign_in(cast.alice), str(uuid4())

    first, again = (send(alice, cast, "itemisation_withdraw", operation_id=key) for _ in range(2))

    assert (first.status_code, again.status_code) == (302, 302)
    with tenant_transaction(cast.acme.pk):
        assert AuditEvent.objects.filter(tenant=cast.acme, verb="itemised_bill.withdrawn").count() == 1
        assert not ItemisationOrder.objects.filter(withdrawn_at=None).exists()


@pytest.mark.parametrize("name", ["itemisation_order", "itemisation_withdraw", "retention"])
def test_who_signed_in_long_ago_is_asked_first(cast, number, name):
    ordered(cast)
    alice = Client()
    alice.force_login(cast.alice)
    fields = {"declaration": itemisation.DECLARATION, "numbers": "full", "declared": "on", "months": "1"}

    answer = send(alice, cast, name, **fields)

    assert reverse("account_reauthenticate") in answer.headers["Location"]
    with tenant_transaction(cast.acme.pk):
        assert ItemisationOrder.objects.get().withdrawn_at is None
        assert not CallRetention.objects.exists()


@pytest.mark.parametrize("name", ["itemised", "itemisation_order", "itemisation_withdraw", "retention"])
@pytest.mark.parametrize("who", ["bob", "dora"])
def test_others_are_refused(cast, number, sign_in, name, who):
    assert look(sign_in(getattr(cast, who)), name).status_code == 403


def test_every_look_leaves_an_event_without_called_numbers(cast, number, sign_in):
    ordered(cast)
    calling.take(calling.line(number, calling.days_ago(1), peer="+492214710123"))
    alice = sign_in(cast.alice)

    look(alice, "calls", pk=number.pk)
    look(alice, "itemised_bill", **MONTH)
    files(alice)

    with tenant_transaction(cast.acme.pk):
        events = list(AuditEvent.objects.filter(tenant=cast.acme, verb="calls.viewed").order_by("pk"))
    assert [event.after["what"] for event in events] == ["page", "2026-11 page", "2026-11 csv", "2026-11 pdf"]
    assert {event.actor_id for event in events} == {cast.alice.pk}
    assert "4710" not in str([event.after for event in events])


def test_staff_see_their_own_interval_alone_and_only_if_allowed(cast, number, sign_in):
    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        bob = StaffMember.objects.filter(user=cast.bob).first() or calling.person("Bob Brandt", user=cast.bob)
        other = calling.person("Other Otto")
        calling.assign(number, other, calling.days_ago(30), calling.days_ago(10))
        calling.assign(number, bob, calling.days_ago(10))
    calling.take(
        calling.line(number, calling.days_ago(10) - timedelta(microseconds=1), peer="+492214710111"),
        calling.line(number, calling.days_ago(10), peer="+492214710222"),
        calling.line(number, calling.days_ago(2), peer="+492214710333", direction="in"),
    )
    client = sign_in(cast.bob)

    closed = look(client, "own_calls").content.decode()
    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        staff_settings.change({"sees_own_calls": True}, by=cast.alice, at=NOW)
    shown = re.sub(r"\s|&nbsp;", "", look(client, "own_calls").content.decode())

    assert "4710" not in closed
    assert "4710111" not in shown
    assert "4710222" in shown
    assert "4710333" in shown
    with tenant_transaction(cast.acme.pk):
        event = AuditEvent.objects.get(tenant=cast.acme, verb="calls.viewed")
    assert (event.actor_id, event.object_type, event.object_id) == (cast.bob.pk, "own_calls", bob.pk)
    assert event.after == {"what": "own page", "count": 2}


def test_pages_are_walked_by_key(cast, number, acme, monkeypatch):
    ordered(cast)
    monkeypatch.setattr(calls, "PAGE", 4)
    at = calling.days_ago(1)
    calling.take(
        *(calling.line(number, at) for _ in range(6)), *(calling.line(number, calling.days_ago(2)) for _ in "ab")
    )
    spans, seen, before = itemisation.spans(), [], ""

    while True:
        page = calls.page(calls.listed(spans, number_id=number.pk), spans, before=before)
        seen += [(call.at, call.peer) for call in page.calls]
        before = page.older
        if not before:
            break

    assert len(seen) == len(set(seen)) == CallRecord.objects.count() == 8
    assert [at for at, _ in seen] == sorted((at for at, _ in seen), reverse=True)


@pytest.mark.parametrize("count", [1, 3])
def test_a_page_of_calls_takes_two_queries(cast, number, acme, django_assert_num_queries, count):
    ordered(cast)
    calling.take(*(calling.line(number, calling.days_ago(1)) for _ in range(count)))

    def look():
        spans = itemisation.spans()
        calls.page(calls.listed(spans, number_id=number.pk), spans, before="")

    look()  # what a process reads once
    with django_assert_num_queries(2):
        look()


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+492214710123", "+492214710xxx"), ("0221\xa04710-123", "0221\xa04710-xxx"), ("112", "xxx"), ("", "")],
)
def test_masked_hides_the_last_three_digits(number, shown):
    assert calls.masked(number) == shown


def test_paper_fetches_nothing(tmp_path):
    secret = tmp_path / "secret.css"
    secret.write_text("p::after { content: 'leaked' }")
    with pytest.raises(typesetting.Refused):
        typesetting.Packaged(paper.FONTS).fetch(f"file://{secret}")
    with pytest.raises(typesetting.Refused):
        typesetting.Packaged(paper.FONTS).fetch("http://127.0.0.1/x")


def test_a_spreadsheet_keeps_every_number_and_zero(cast, number, sign_in):
    """What a spreadsheet shows of the file: it evaluates ="…" to a text, and takes nothing else for a formula."""
    ordered(cast, masked=True)
    calling.take(
        calling.line(number, calling.days_ago(1), peer="+492214710123"),
        calling.line(number, calling.days_ago(1), peer="0049 221 4710 009"),
        calling.line(number, calling.days_ago(1), peer="112", talk=0),
        calling.line(number, calling.days_ago(1), peer="anonymous", direction="in", reverse_charged=True),
    )

    rows, _text = files(sign_in(cast.alice))
    shown = [[spreadsheet(cell) for cell in row] for row in rows]

    assert {row[2] for row in shown} == {"+493023125010"}
    assert {row[4] for row in shown} == {"+492214710xxx", "xxx", "unterdrückt"}
    assert all(isinstance(row[5], int) for row in shown)


def spreadsheet(cell):
    """Return the value a German spreadsheet has for a cell of a CSV file that is opened by a double click."""
    if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        text = re.fullmatch(r'="([^"]*)"', cell)
        assert text, f"a formula: {cell}"
        return text[1]
    if re.fullmatch(r"-?\d+", cell):
        return int(cell)
    return float(cell.replace(",", ".")) if re.fullmatch(r"-?\d+,\d+", cell) else cell
