import csv
import tracemalloc
from datetime import date

import pytest
import time_machine

from numbers import importing, labels, number_lists
from numbers.importing import Kind
from numbers.models import PhoneNumber, Usage
from portal.models import Tenant
from tests import make
from tests.conftest import NOW
from tests.numbers.confirming import within

CANARIES = ["=1+1", "+49", "-x", "@SUM(A1)", "\tTab", "'quoted", 'a "b"; c', "Süd; <b>", "100 %(pk)s", "0049", "="]


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


def fetch(client, query=""):
    answer = client.get(f"/numbers/export.csv{query}")
    return answer, b"".join(answer.streaming_content)


def cells(content):
    return list(csv.reader(content.decode("utf-8-sig").splitlines(), delimiter=";"))


def test_export_is_what_spreadsheets_expect(cast, sign_in):
    with within(cast.acme, cast.alice):
        make.number("+493023125012", base_number="+493023125", extension_digits="012", label="Empfang Süd")
        make.number("+493023125013", state="deactivation_scheduled", last_active_on=date(2026, 12, 31))

    answer, content = fetch(sign_in(cast.alice))

    assert content.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in content
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="rufnummern.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    head, first, second = cells(content)
    assert head[:8] == [
        *(
            "Rufnummer",
            "Vorwahl",
            "Ortsnetz",
            "Status",
            "Aktiv seit",
            "Letzter aktiver Tag",
            "Verwendung",
            "Bezeichnung",
        )
    ]
    assert first[:4] == ['="+493023125012"', '="030"', "Berlin", "inaktiv"]
    assert second[3:6] == ["zur Deaktivierung vorgemerkt", "2026-03-01", "2026-12-31"]
    assert (first[9], second[9]) == ('="+493023125"', "")


def test_export_follows_search_filters_order_and_the_clock(cast, sign_in):
    with within(cast.acme, cast.alice):
        make.number("+493023125001", state="active", label="Lager")
        make.number("+493023125002", state="deactivation_scheduled", last_active_on=date(2026, 10, 31), label="Lager")
        make.number("+496990009001", area_code="69", label="Lager")
        make.number("+493023125003", state="returned", label="Lager")
    client = sign_in(cast.alice)

    def numbers(query):
        return [row[0][2:-1] for row in cells(fetch(client, query)[1])[1:]]

    assert numbers("?sort=-number") == ["+496990009001", "+493023125002", "+493023125001"]
    assert numbers("?q=lager+030&state=inactive") == ["+493023125002"]
    assert numbers("?area=69") == ["+496990009001"]
    overdue = cells(fetch(client, "?q=23125002")[1])[1]
    assert overdue[3] == "inaktiv"


def test_no_cell_runs_as_a_formula(cast, sign_in):
    with within(cast.acme, cast.alice):
        for text in CANARIES:
            make.number(label=text, note=text)

    _answer, content = fetch(sign_in(cast.alice))

    for row in cells(content)[1:]:
        assert row[0].startswith('="+49')
        assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in (row[7], row[8]))


def test_what_was_exported_comes_back_exactly(cast, sign_in, as_operator):
    with within(cast.acme, cast.alice):
        for place, text in enumerate(CANARIES):
            make.number(
                f"+4930231250{place:02}",
                base_number="+4930231250" if place % 2 else f"+4930231250{place:02}",
                extension_digits=f"{place:02}" if place % 2 else "",
                label=text.strip(),
                note=f"{text.strip()}\nzweite Zeile",
                usage=list(Usage)[place % 4],
                price_class="premium" if place % 3 else "standard",
            )
        before = _rows()
    _answer, content = fetch(sign_in(cast.alice))
    with as_operator():
        PhoneNumber.objects.update(state="returned")
        empty = Tenant.objects.create(name="Leer", slug="leer", customer_number="K-9")

    with within(empty, cast.alice):
        findings = importing.take(number_lists.read(content), tenant_id=empty.pk, by="test", at=NOW)

        assert {finding.kind for finding in findings} == {Kind.NEW}
        assert _rows() == before


def test_export_belongs_to_its_tenant_and_to_administrators(cast, sign_in, client):
    with within(cast.globex, cast.carl):
        make.number(label="Geheim")

    assert b"Geheim" not in fetch(sign_in(cast.alice))[1]
    assert b"Geheim" in fetch(sign_in(cast.carl))[1]
    assert sign_in(cast.bob).get("/numbers/export.csv").status_code == 403
    assert client.get("/numbers/export.csv").headers["Location"].startswith("/accounts/login/")
    assert sign_in(cast.alice).post("/numbers/export.csv").status_code == 405


@pytest.mark.timeout(900)
def test_export_keeps_memory_flat(cast, sign_in, scale):
    count = scale(100_000)
    with within(cast.acme, cast.alice):
        area = make.number().area
        numbers = [
            PhoneNumber(
                tenant=cast.acme,
                e164=f"+49305{n:06}",
                base_number=f"+49305{n:06}",
                area=area,
                allocated_at=NOW,
                note="x" * 900,
            )
            for n in range(count)
        ]
        labels.index(PhoneNumber.objects.bulk_create(numbers))
        del numbers
    client = sign_in(cast.alice)
    client.get("/numbers/")

    tracemalloc.start()
    size = sum(len(chunk) for chunk in client.get("/numbers/export.csv").streaming_content)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size > count * 900
    assert peak < 7_000_000, peak


def _rows():
    fields = ("e164", "base_number", "extension_digits", "label", "note", "usage", "price_class")
    return list(PhoneNumber.objects.held().order_by("e164").values_list(*fields))
