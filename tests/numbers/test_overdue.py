"""Rule C3: past its last active day a number is inactive for every reader, whether or not the job has run."""

import inspect
import io
import json
import re
import zipfile
from datetime import UTC, date, datetime, timedelta
from difflib import unified_diff
from types import SimpleNamespace

import pytest
from django.urls import reverse

from billing import costs
from numbers import bulk, jobs, overview, personal_files, rows
from numbers.models import Assignment, Forwarding, NumberState, PhoneNumber
from numbers.models.number import PhoneNumberQuerySet
from portal import berlin, tenancy
from tests import make
from tests.isolation import routes

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LAST = date(2026, 10, 31)
END = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)  # the first instant after it, in Berlin
TRACE = re.compile(r'<ol class="p-events p-trace">.*?</ol>|<p class="p-sub">Noch nichts.</p>', re.DOTALL)
TICK = timedelta(microseconds=1)
# What every reader says of it, on its last day and afterwards.
READERS = {
    "held": (True, True),
    "active": (True, False),
    "scheduled": (True, False),
    "unscheduled": (False, False),
    "inactive": (False, True),
    "due": (False, True),
}
NOT_READERS = {"locked", "by_day"}


@pytest.fixture
def number(acme):
    return make.number(
        "+493023125012", state="deactivation_scheduled", last_active_on=LAST, active_since=date(2026, 3, 1)
    )


def says(reader, at):
    method = getattr(PhoneNumber.objects, reader)
    return (method() if reader == "held" else method(at)).exists()


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_changes_its_mind_at_midnight_in_berlin(number, reader):
    assert (says(reader, END - TICK), says(reader, END)) == READERS[reader]
    assert says(reader, NOW) == READERS[reader][1]


def test_no_reader_was_forgotten():
    own = {
        name
        for name, method in vars(PhoneNumberQuerySet).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }

    assert own - NOT_READERS == set(READERS)


def test_the_row_itself_says_the_same(number):
    assert [number.state_at(at) for at in (END - TICK, END)] == [
        NumberState.DEACTIVATION_SCHEDULED,
        NumberState.INACTIVE,
    ]
    assert [number.works_until(at) for at in (END - TICK, END)] == [LAST, None]
    assert [number.is_due(at) for at in (END - TICK, END)] == [False, True]


def test_the_job_changes_no_answer(acme, number, as_operator):
    before = {reader: says(reader, NOW) for reader in READERS if reader != "due"}
    cost = costs.bills(date(2026, 9, 1), 6, of=costs.places(), at=costs.versions())

    with as_operator():
        jobs.apply_deactivations(at=NOW)

    assert {reader: says(reader, NOW) for reader in before} == before
    assert costs.bills(date(2026, 9, 1), 6, of=costs.places(), at=costs.versions()) == cost
    assert [bill.slots for bill in cost] == [1, 1, 0, 0, 0, 0]


HISTORY = "numbers:history"  # the trace itself, in which the job leaves its events
# What stands for the id in an address, by what the address is about; pages about other things are not looked at.
ABOUT = {"": [None], "holder": ["member"]} | {name: [name] for name in ("fax", "member", "credential", "run")}
ABOUT |= {state: ["number", "fax"] for state in ("active", "inactive", "scheduled")}
ABOUT |= {person: ["member", "late"] for person in ("member", "holder")}


@pytest.fixture
def office(cast):
    """Acme with overdue numbers: Bob had two, one is forwarded, for the other one he had fax access. All that Lea had
    is overdue: a number, and access to a shared fax."""
    first = berlin.day(datetime.now(tz=UTC)).replace(day=1)
    last = first - timedelta(days=1)
    ended = {"state": "deactivation_scheduled", "last_active_on": last, "active_since": date(2026, 3, 1)}
    with tenancy.tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        number = make.number("+493023125012", label="Empfang", **ended)
        fax = make.number("+493023125013", usage="fax_personal", **ended)
        shared = make.number("+493023125015", usage="fax_shared", **ended)
        active = make.number("+493023125014", state="active", active_since=date(2026, 3, 1))
        bob = make.member("Bob Brandt", user=cast.bob, email="bob@acme.example")
        lea = make.member("Lea Lorenz", email="lea@acme.example")
        for held, member in ((number, bob), (fax, bob), (active, bob), (make.number("+493023125016", **ended), lea)):
            Assignment.objects.create(
                number=held, staff_member=member, from_at=make.ALLOCATED, settled_at=make.ALLOCATED
            )
        for source, destination in ((number, "+494066969001"), (active, number.e164)):
            Forwarding.objects.create(number=source, when="always", destination=destination, changed_at=make.ALLOCATED)
        credential = make.fax_credential(fax, bob, "a-secret", shown_at=make.ALLOCATED)
        make.fax_credential(shared, lea, "another-secret", shown_at=make.ALLOCATED)
        run = bulk.start("withdraw", PhoneNumber.objects.all(), by=cast.alice, at=make.ALLOCATED)
    cast.alice.preferences = {"number_columns": list(rows.COLUMNS)}
    cast.alice.save()
    return SimpleNamespace(number=number, fax=fax, member=bob, late=lea, credential=credential, run=run, first=first)


def addresses(office, role):
    """Yield every address that shows a page or a file to this role, those of numbers with the overdue ones."""
    for name, route in routes.ROUTES.items():
        if isinstance(route, routes.Route) and role in route.roles and route.get != 405 and name != HISTORY:
            for thing in ABOUT.get(route.owns, ()):
                url = reverse(name, kwargs=route.fixed | ({"pk": getattr(office, thing).pk} if thing else {}))
                yield f"{url}?{route.query}"
    if role == "administrator":
        bulk_page, overview_page, swap_page = map(reverse, ("numbers:bulk", "numbers:overview", "numbers:swap"))
        yield from (f"{bulk_page}?verb={verb}&everything=all" for verb in ("activate", "deactivate", "withdraw"))
        queries = (*(f"state={state}" for state in overview.STATES), "q=brandt", "assigned=yes", "assigned=no")
        yield from (f"{page}?{query}" for query in queries for page in (overview_page, reverse("numbers:export")))
        yield from (f"{swap_page}?{part}={office.number.pk}" for part in ("old", "new"))


@pytest.mark.parametrize("who", ["alice", "bob", "dora"])
def test_every_page_says_the_same_before_and_after_the_job(cast, office, as_operator, sign_in, who):
    """All that is shown of an overdue number is, line by line, what is shown of an inactive one."""
    client, role = sign_in(getattr(cast, who)), routes.ROLE[who]
    asked = list(addresses(office, role))

    before = {url: shown(client, url) for url in asked}
    with as_operator():
        assert jobs.apply_deactivations(at=datetime.now(tz=UTC)).done == 4
    after = {url: shown(client, url) for url in asked}

    differing = {url: list(unified_diff(before[url], after[url], n=0, lineterm="")) for url in asked}
    assert {url: lines for url, lines in differing.items() if lines} == {}
    assert sum(lines[0] == "200" for lines in before.values()) >= {"alice": 50, "bob": 5, "dora": 4}[who]


@pytest.mark.parametrize("own", [True, False])
def test_the_file_of_a_person_says_the_same_before_and_after_the_job(cast, office, as_operator, own):
    """What is known of somebody is the same but for the mails about it, which the job writes."""

    def files(member):
        with tenancy.tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
            content = personal_files.export(member, own=own, at=datetime.now(tz=UTC))
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            texts = {name: archive.read(name).decode() for name in archive.namelist()}
        data = json.loads(texts.pop("data.json"))["data"]
        return {name: texts[name] for name in texts if name.endswith(".csv") and name != "mails.csv"}, data | {
            "mails": []
        }

    before = [files(member) for member in (office.member, office.late)]
    with as_operator():
        jobs.apply_deactivations(at=datetime.now(tz=UTC))

    assert [files(member) for member in (office.member, office.late)] == before
    [number], [access] = (before[1][1][kind] for kind in ("numbers", "fax_access"))
    assert number["until_at"] == access["revoked_at"] == berlin.begin(office.first).astimezone(UTC).isoformat()


def shown(client, url):
    """Return the status and lines of a page but for tokens and the trace, in which the job leaves its event."""
    answer = client.get(url)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = TRACE.sub("", body.decode("utf-8", "replace"))
    lines = [line for line in text.splitlines() if line.strip() and "csrf" not in line and "operation_id" not in line]
    return [str(answer.status_code), *lines]
