import csv
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal import tenancy
from portal.models import Role
from staff import invitations
from staff.models import StaffMember
from tests import make
from tests.conftest import NOW

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def people(cast):
    """Acme's list: umlauts, departments, every state and access."""
    with tenancy.tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        make.member("Alice Adler", user=cast.alice, department="Leitung", extension="1")
        make.member("Bob Brandt", user=cast.bob, email="bob@acme.example", department="Vertrieb", extension="20")
        make.member("Ömer Öztürk", email="oemer@acme.example", department="Vertrieb", extension="21")
        make.member("Zoë Zimmer", department="Werk", extension="22")
        make.member("Otto Ohm", department="Werk", extension="3", state="locked", role_kept="billing", user=cast.dora)
        make.member("Nina Neu", email="nina@acme.example", department="Änderungsdienst")
        make.member("Ada Alt", department="Werk", state="left", left_at=NOW)
        nina = StaffMember.objects.get(name="Nina Neu")
        invitations.invite(StaffMember.objects.locked([nina.pk]), role=Role.STAFF, by=cast.alice, at=timezone.now())
    return cast


def names(response):
    return re.findall(r"<strong>([^<]+)</strong></a>", response.text)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Alice Adler", "Bob Brandt", "Nina Neu", "Ömer Öztürk", "Otto Ohm", "Zoë Zimmer"]),
        ("sort=-name", ["Zoë Zimmer", "Otto Ohm", "Ömer Öztürk", "Nina Neu", "Bob Brandt", "Alice Adler"]),
        ("sort=extension", ["Alice Adler", "Bob Brandt", "Ömer Öztürk", "Zoë Zimmer", "Otto Ohm", "Nina Neu"]),
        ("state=left", ["Ada Alt"]),
        ("state=locked", ["Otto Ohm"]),
        ("state=active&department=Vertrieb", ["Bob Brandt", "Ömer Öztürk"]),
        ("q=omer", ["Ömer Öztürk"]),
        ("q=ÖZT", ["Ömer Öztürk"]),
        ("q=zoe", ["Zoë Zimmer"]),
        ("q=nina@acme", ["Nina Neu"]),
        ("q=bob+brandt", ["Bob Brandt"]),
        ("q=alice@acme.example", ["Alice Adler"]),
        ("q=21", ["Ömer Öztürk"]),
        ("q=änderung", ["Nina Neu"]),
        ("access=none", ["Nina Neu", "Ömer Öztürk", "Zoë Zimmer"]),
        ("access=invited", ["Nina Neu"]),
        ("access=administrator", ["Alice Adler"]),
        ("access=billing", ["Otto Ohm"]),
        ("q=%25", []),
        ("q=nobody", []),
        (
            "sort=nonsense&page=0&size=7&state=x&access=y",
            ["Alice Adler", "Bob Brandt", "Nina Neu", "Ömer Öztürk", "Otto Ohm", "Zoë Zimmer"],
        ),
        ("page=99&size=25", ["Alice Adler", "Bob Brandt", "Nina Neu", "Ömer Öztürk", "Otto Ohm", "Zoë Zimmer"]),
    ],
)
def test_list_finds_filters_and_sorts_as_germans_do(people, sign_in, query, found):
    assert names(sign_in(people.alice).get(f"/staff/?{query}")) == found


def test_list_pages_and_keeps_the_view_in_the_address(cast, sign_in):
    with tenancy.tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        for number in range(60):
            make.member(f"Person {number:02}")
    client = sign_in(cast.alice)

    page = client.get("/staff/?size=25&page=2&sort=-name&q=person")

    assert names(page) == [f"Person {number:02}" for number in range(34, 9, -1)]
    assert "26–50 von 60" in " ".join(page.text.split())
    assert 'href="?size=25&amp;page=3&amp;sort=-name&amp;q=person"' in page.text


def test_list_answers_htmx_with_the_list_alone(people, sign_in):
    page = sign_in(people.alice).get("/staff/", headers=PARTIAL)

    assert page.text.lstrip().startswith("<section")
    assert "<html" not in page.text


def test_list_takes_the_same_queries_for_one_and_three_rows(cast, sign_in):
    client = sign_in(cast.alice)
    counted = []
    for name in ("One", "Two", "Three"):
        with tenancy.tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
            make.member(name, email=f"{name}@acme.example".lower())
        client.get("/staff/")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get("/staff/")
        counted.append(len(queries))

    assert counted[0] == counted[2]


def test_an_empty_list_says_what_to_do_next(cast, sign_in):
    page = sign_in(cast.alice).get("/staff/")

    assert "Noch niemand steht auf der Liste" in page.text
    assert 'href="/people/hire/"' in page.text


def test_who_signs_in_and_is_not_listed_is_offered(cast, sign_in):
    client = sign_in(cast.alice)
    assert "Bob Brandt" in client.get("/staff/").text

    client.post("/staff/enrol/", {"_tenant": _token(cast.acme)})

    page = client.get("/staff/")
    assert names(page) == ["Alice Adler", "Bob Brandt", "Dora Dietrich", "Erika Ernst"]
    assert "/staff/enrol/" not in page.text


def test_export_holds_the_same_people_and_runs_no_formula(people, sign_in):
    with tenancy.tenant_transaction(people.acme.pk, user_id=people.alice.pk):
        make.member("=cmd()", department="+49")

    response = sign_in(people.alice).get("/staff/export.csv?state=active&sort=-name")
    text = b"".join(response.streaming_content).decode()

    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
    assert rows[0] == [
        *("Name", "E-Mail", "Durchwahl", "Abteilung", "Sprache", "Status", "Zugang", "Seit", "Ausgeschieden am"),
    ]
    assert [row[0] for row in rows[1:]] == [
        "Zoë Zimmer",
        "Ömer Öztürk",
        "Nina Neu",
        "Bob Brandt",
        "Alice Adler",
        "'=cmd()",
    ]
    assert rows[3] == [
        "Nina Neu",
        "nina@acme.example",
        "",
        "Änderungsdienst",
        "de",
        "aktiv",
        "Eingeladen",
        "2026-01-05",
        "",
    ]
    assert rows[6][3] == "'+49"


def _token(tenant):
    from portal.access import tenant_token

    return tenant_token(tenant.pk)
