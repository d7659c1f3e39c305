import re
from dataclasses import replace
from datetime import date
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from numbers import overview
from numbers.forms.overview import read
from numbers.models import Assignment, PhoneNumber
from numbers.overview import Part, Wanted
from portal import access, tenancy
from portal.models import User
from tests import make
from tests.conftest import NOW

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def inventory(cast):
    """Return a function that makes numbers of Acme: `inventory(make.number, state="active")`."""

    def _make(what, *args, tenant=None, **fields):
        with tenancy.tenant_transaction((tenant or cast.acme).pk, user_id=cast.alice.pk):
            return what(*args, **fields)

    return _make


def shown(response):
    return [
        text.replace("\u00a0", " ").replace("\u2011", "-")
        for text in re.findall(r"<td role=cell class=c-num><a href=[^>]+>([^<]+)</a>", response.content.decode())
    ]


def counts(response):
    found = re.findall(r'id="tab-(\w+)".*?class="p-count">([^<]+)<', response.content.decode(), re.S)
    return {name: count.strip() for name, count in found}


def test_overview_shows_number_area_state_usage_label_and_actions(cast, sign_in, inventory):
    number = inventory(
        make.number, "+493023125012", base_number="+493023125", extension_digits="012", state="active", label="Empfang"
    )

    page = sign_in(cast.alice).get("/numbers/").content.decode()

    row = page[page.index(f"<tr id=row-{number.pk} ") : page.index("</tbody>")].replace("\u00a0", " ")
    for part in ("030 23125\u2011012", "Berlin", "Aktiv", "Sprache", "Empfang", "Nicht zugeordnet"):
        assert part in row
    assert f"href=/numbers/{number.pk}/deactivate/" in row
    assert 'aria-label="030 23125\u2011012 deaktivieren"' in row
    assert f'href="/numbers/swap/?old={number.pk}"' in row


@pytest.mark.parametrize(
    ("fields", "action", "swap"),
    [
        ({"state": "inactive"}, "activate", "new"),
        ({"state": "active"}, "deactivate", "old"),
        ({"state": "deactivation_scheduled", "last_active_on": date(2026, 12, 31)}, "withdraw", "old"),
        ({"state": "deactivation_scheduled", "last_active_on": date(2026, 10, 31)}, "activate", "new"),
        ({"state": "port_in_pending"}, None, None),
    ],
)
def test_overview_offers_what_the_state_allows(cast, sign_in, inventory, fields, action, swap):
    number = inventory(make.number, **fields)

    page = sign_in(cast.alice).get("/numbers/").content.decode()

    verbs = re.findall(rf"/numbers/{number.pk}/(activate|deactivate|withdraw)/", page)
    assert verbs == ([action] if action else [])
    assert re.findall(rf"/numbers/swap/\?(old|new)={number.pk}", page) == ([swap] if swap else [])


def test_overview_counts_by_state_and_an_overdue_number_is_inactive(cast, sign_in, inventory):
    inventory(make.numbers, 2, state="active")
    inventory(make.number, state="deactivation_scheduled", last_active_on=date(2026, 11, 23))
    inventory(make.number, state="deactivation_scheduled", last_active_on=date(2026, 11, 22))
    inventory(make.number)
    inventory(make.number, state="returned")
    inventory(make.number, state="port_in_pending")
    client = sign_in(cast.alice)

    page = client.get("/numbers/")

    assert counts(page) == {"all": "6", "active": "2", "scheduled": "1", "inactive": "2"}
    assert len(shown(page)) == 6
    assert "Deaktivierung vorgemerkt zum\u00a023.11.2026" in page.content.decode()
    assert {name: len(shown(client.get(f"/numbers/?state={name}"))) for name in overview.STATES} == {
        "active": 2,
        "scheduled": 1,
        "inactive": 2,
    }


@pytest.mark.parametrize(
    "text",
    [
        *("030 / 23125-012", "+49 (0)30 23125012", "0049 30 23125 012", "03023125012", "23125-012", "3125012"),
        *("empfang", "EMPFANG süd", "sud berlin", "Berlin 030 23125-012", "030 23125012 Empfang"),
    ],
)
def test_search_finds_a_number_in_any_notation_its_area_and_label(cast, sign_in, inventory, text):
    inventory(make.number, "+493023125012", label="Empfang Süd")
    inventory(make.number, "+496990009077", area_code="69", label="Lager")

    page = sign_in(cast.alice).get("/numbers/", {"q": text})

    assert shown(page) == ["030 23125012"]
    assert counts(page)["all"] == "1"


@pytest.mark.parametrize("text", ["100%", "a_b", "\\", "' OR 1=1 --", "%", "_", "–"])
def test_search_takes_wildcards_and_quotes_literally(cast, sign_in, inventory, text):
    inventory(make.number, label="Lager")
    wanted = inventory(make.number, label=f"x {text} y")

    page = sign_in(cast.alice).get("/numbers/", {"q": text})

    assert page.status_code == 200
    if any(character.isalnum() for character in text):
        assert shown(page) == [overview.notation.national(wanted.e164, "30").replace("\u00a0", " ")]


def test_filters_sort_and_pages_make_one_address(cast, sign_in, inventory):
    for n in range(30):
        inventory(make.number, f"+493023125{n:03}", label=f"{'Zentrale' if n % 2 else 'Ärzte'} {n:02}")
    inventory(make.number, "+496990009001", area_code="69", usage="fax_shared", label="Fax")
    client = sign_in(cast.alice)

    assert shown(client.get("/numbers/?area=69")) == ["069 90009001"]
    assert shown(client.get("/numbers/?usage=fax_shared&area=30")) == []
    assert shown(client.get("/numbers/?sort=-number"))[:2] == ["069 90009001", "030 23125029"]
    assert shown(client.get("/numbers/?sort=label"))[:2] == ["030 23125000", "030 23125002"]
    assert shown(client.get("/numbers/?size=25&page=2&area=30")) == [f"030 23125{n:03}" for n in range(25, 30)]
    assert shown(client.get("/numbers/?size=25&page=999&area=30")) == [f"030 23125{n:03}" for n in range(25, 30)]


@pytest.mark.parametrize("sort", [prefix + name for prefix in ("", "-") for name in overview.SORTS])
def test_every_sort_shows_every_number_once(cast, sign_in, inventory, sort):
    inventory(make.numbers, 2, state="active", label="b")
    inventory(make.number, state="deactivation_scheduled", last_active_on=date(2026, 12, 31))
    inventory(make.number, label="a")

    assert len(set(shown(sign_in(cast.alice).get(f"/numbers/?sort={sort}")))) == 4


def test_an_address_that_means_nothing_shows_the_usual(cast, sign_in, inventory):
    inventory(make.number)
    nonsense = {"state": "x", "area": "1;2", "usage": "x", "sort": "id", "size": "1000000", "page": "-3"}

    assert read(QueryDict(urlencode(nonsense))) == Wanted()
    assert len(shown(sign_in(cast.alice).get("/numbers/", nonsense | {"q": "\x00"}))) == 1


def test_a_query_is_read_back_as_it_was_written():
    wanted = Wanted(q="Süd & 030", state="active", area="30", usage="voice", sort="-label", size=100, page=7)

    assert read(QueryDict(wanted.query(page=7))) == wanted
    assert Wanted().query() == ""


def test_the_list_belongs_to_its_tenant(cast, sign_in, inventory):
    inventory(make.number, "+493023125111", tenant=cast.globex, label="Geheim")
    inventory(make.number, "+496990009001", area_code="69")
    client = sign_in(cast.alice)

    assert "Geheim" not in client.get("/numbers/").content.decode()
    assert shown(client.get("/numbers/?q=Geheim")) == []
    assert counts(client.get("/numbers/")) == {"all": "1", "active": "0", "scheduled": "0", "inactive": "1"}
    assert '<option value="30"' not in client.get("/numbers/").content.decode()  # the other tenant's area


def test_only_administrators_see_the_list(cast, sign_in, client):
    assert sign_in(cast.bob).get("/numbers/").status_code == 403
    assert sign_in(cast.dora).get("/numbers/").status_code == 403
    assert client.get("/numbers/").headers["Location"].startswith("/accounts/login/")
    assert sign_in(cast.alice).post("/numbers/").status_code == 405


def test_texts_are_escaped_in_rows_and_search(cast, sign_in, inventory):
    inventory(make.number, label="<script>alert(1)</script>\"'&%(pk)s")

    page = sign_in(cast.alice).get("/numbers/", {"q": '"><script>alert(2)</script>'})
    rows = sign_in(cast.alice).get("/numbers/").content.decode()

    assert "<script>alert" not in page.content.decode() + rows
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;%(pk)s" in rows


def test_htmx_gets_the_list_alone_and_the_address_without_empty_parts(cast, sign_in, inventory):
    inventory(make.number, label="Empfang")

    part = sign_in(cast.alice).get("/numbers/?q=Empfang&area=&usage=&sort=number", headers=PARTIAL)

    assert part.headers["HX-Push-Url"] == "/numbers/?q=Empfang"
    assert "HX-Request" in part.headers["Vary"]
    assert part.headers["Cache-Control"] == "no-store"
    assert part.content.decode().lstrip().startswith('<section class="card p-list" id="list"')


def test_the_page_needs_the_same_statements_for_any_number_of_rows(cast, sign_in, inventory):
    client = sign_in(cast.alice)
    client.get("/numbers/")
    asked = {}
    for more in (1, 2, 47):
        inventory(make.numbers, more)
        for query in ("", "?q=030"):
            with CaptureQueriesContext(connection) as statements:
                client.get(f"/numbers/{query}")
            sql = [
                s["sql"]
                for s in statements.captured_queries
                if not re.match(r"SAVEPOINT|RELEASE|BEGIN|COMMIT", s["sql"])
            ]
            asked.setdefault(query, []).append(len(sql))

    assert asked == {"": [4, 4, 4], "?q=030": [5, 5, 5]}


def test_fifty_rows_stay_small(cast, sign_in, inventory):
    inventory(make.numbers, 50, state="active", label="Vertrieb Innendienst Süd")

    page = sign_in(cast.alice).get("/numbers/").content

    assert len(shown(sign_in(cast.alice).get("/numbers/"))) == 50
    assert len(page) <= 60_000


def test_columns_are_remembered_for_the_person(cast, sign_in, inventory):
    inventory(make.number, label="Empfang")
    client = sign_in(cast.alice)
    fields = {
        "_tenant": access.tenant_token(cast.acme.pk),
        "columns": ["area", "last_active"],
        "query": "state=inactive",
    }

    answer = client.post("/numbers/columns/", fields)

    assert answer.headers["Location"] == "/numbers/?state=inactive"
    assert User.objects.get(pk=cast.alice.pk).preferences == {"number_columns": ["area", "last_active"]}
    page = client.get("/numbers/").content.decode()
    assert "Letzter aktiver Tag</a>" in re.sub(r"\s*<svg.*?</svg>\s*", "", page)
    assert ">Empfang<" not in page


@pytest.mark.parametrize("query", ["//evil.example/", "https://evil.example", "q=%0d%0aX: y"])
def test_columns_lead_back_to_the_overview_only(cast, sign_in, query):
    fields = {"_tenant": access.tenant_token(cast.acme.pk), "columns": ["nonsense"], "query": query}

    answer = sign_in(cast.alice).post("/numbers/columns/", fields)

    assert answer.headers["Location"].startswith("/numbers/")
    assert User.objects.get(pk=cast.alice.pk).preferences == {}


def test_empty_states_name_the_next_step(cast, sign_in, inventory):
    client = sign_in(cast.alice)
    nothing = client.get("/numbers/").content.decode()
    inventory(make.number)
    no_match, signs = (client.get("/numbers/", {"q": q}).content.decode() for q in ("nirgends", "+++((("))

    assert "Sie haben noch keine Rufnummern" in nothing
    assert 'href="/help/"' in nothing
    for page in (no_match, signs):
        assert "Keine Rufnummer passt" in page
        assert "Suche und Filter aufheben" in page


def test_counting_and_paging_end_where_the_page_says(acme, monkeypatch):
    monkeypatch.setattr(overview, "COUNTED", 5)
    for _ in range(7):
        make.number()

    counts = Part(Wanted(), at=NOW).counts()

    assert (counts.all, counts.inactive) == (6, 6)


def test_page_numbers_leave_gaps():
    assert list(overview.page_numbers(1, 1)) == [1]
    assert list(overview.page_numbers(1, 5)) == [1, 2, 3, 4, 5]
    assert list(overview.page_numbers(10, 200)) == [1, None, 8, 9, 10, 11, 12, None, 200]


@pytest.mark.parametrize(
    "wanted", [Wanted(), Wanted(area="30"), Wanted(usage="voice"), Wanted(q="030 a"), Wanted(q="zz")]
)
def test_the_counted_states_are_those_of_the_rows(acme, wanted):
    for state in ("active", "inactive", "port_in_pending", "returned", "ported_out"):
        make.number(state=state, label="a")
    for day in (date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 24)):
        make.number(state="deactivation_scheduled", last_active_on=day, label="a")
    make.number("+496990009001", area_code="69", state="active", usage="fax_shared")

    counts = Part(wanted, at=NOW).counts()

    found = {state: Part(replace(wanted, state=state), at=NOW).rows().count() for state in ("", *overview.STATES)}
    assert {state: counts.of(state) for state in found} == found
    states = ("active", "unscheduled", "scheduled", "inactive")
    if wanted == Wanted():  # the states at an instant are those that everything else asks for (rule C3)
        by_rule = {state: getattr(PhoneNumber.objects, state)(NOW).count() for state in states}
        assert by_rule == {"active": 4, "unscheduled": 2, "scheduled": 2, "inactive": 2}
        assert found == {"": 7, "active": 2, "scheduled": 2, "inactive": 2}


def test_an_overdue_number_is_nobodys_in_the_list(cast, sign_in, inventory):
    number = inventory(make.number, state="deactivation_scheduled", last_active_on=date(2026, 11, 22))
    inventory(lambda: Assignment.objects.create(number=number, staff_member=make.member("Ben Berg"), from_at=NOW))

    page = sign_in(cast.alice).get("/numbers/").content.decode()

    assert f"row-{number.pk}" in page
    assert "Ben Berg" not in page


@pytest.mark.parametrize("way", ["", "-"])
@pytest.mark.parametrize("sort", overview.SORTS)
def test_the_page_shows_the_rows_that_the_export_and_a_bulk_take(acme, sort, way):
    ben = make.member("Ben Berg")
    for label in ("Ärger", "", "Zoo", "arg", ""):
        make.number(state="active", label=label)
    make.number("+496990009001", area_code="69", state="deactivation_scheduled", last_active_on=date(2026, 11, 30))
    make.number("+496990009002", area_code="69", state="deactivation_scheduled", last_active_on=date(2026, 11, 22))
    make.number(state="inactive")
    for number in PhoneNumber.objects.all()[:3]:
        Assignment.objects.create(tenant=acme.acme, number=number, staff_member=ben, from_at=NOW)

    for assigned, count in (("", 8), ("yes", 3), ("no", 3), (str(ben.pk), 3)):
        part = Part(Wanted(assigned=assigned, sort=f"{way}{sort}"), at=NOW)
        page = [row["e164"] for row in part.page(1)]
        assert page == list(part.rows().values_list("e164", flat=True))
        assert len(page) == count
