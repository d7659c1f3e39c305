import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count
from django.test import override_settings

from billing.models import Price, Slot
from fax import people
from fax.models import FaxCredential, FaxJob
from numbers import calls, demo
from numbers.demo import sites
from numbers.models import (
    Forwarding,
    NumberState,
    PhoneNumber,
    PortNumber,
    PortOrder,
    PortOut,
    PortProvider,
    PortState,
)
from portal import berlin, tenancy
from portal.demo import accounts
from portal.models import AuditEvent, JobRun, Membership, OutboxMessage, Tenant, User
from staff.models import Invitation, StaffMember
from tests import conftest, standing
from tests.conftest import PROOF

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FILM = re.compile(r"\+49(3023125|6990009|4066969|2214710|8999998)[0-9]{3}")


@pytest.fixture(scope="session")
def told(django_db_setup, django_db_blocker, tmp_path_factory):
    """The name of a database in which the demo of NOW stands, and where its documents are."""
    documents = tmp_path_factory.mktemp("documents")

    def load():
        with transaction.atomic(), conftest._as_operator(), override_settings(DOCUMENTS_DIR=documents):
            demo.load(now=NOW)

    return standing.filled("demo", load, blocker=django_db_blocker)[0], documents


@pytest.fixture
def there(request):
    """Connect to where the demo stands; nothing for tests that load one themselves."""
    if request.node.get_closest_marker("django_db"):
        yield
        return
    with standing.connected_to(request.getfixturevalue("told")[0]):
        yield


@pytest.fixture
def db(there, db):
    """The transaction of a test, in the database where the demo stands."""


@pytest.fixture
def operator(db, as_operator):
    with as_operator():
        yield


@pytest.mark.django_db
@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 12, 31, 23, 1, tzinfo=UTC),  # one minute into the new year in Berlin
        datetime(2028, 2, 29, 22, 59, tzinfo=UTC),
        *[datetime(2027, 1, 4, 9, 0, tzinfo=UTC), datetime(2027, 3, 1, 3, 0, tzinfo=UTC)] * PROOF,
    ],
)
def test_load_has_every_state_on_any_day(as_operator, now):
    with as_operator():
        assert demo.load(now=now)
        _has_every_state(now)


def test_load_has_every_state(operator):
    _has_every_state(NOW)


def _has_every_state(now):
    acme = PhoneNumber.objects.filter(tenant__slug="acme")
    assert acme.count() == 125
    assert acme.values("area").distinct().count() == 5
    assert set(acme.values_list("state", flat=True)) == set(NumberState)
    this_month_ends, next_month_ends = (berlin.next_month(berlin.day(now), n) - timedelta(days=1) for n in (1, 2))
    assert set(acme.scheduled(now).values_list("last_active_on", flat=True)) == {this_month_ends, next_month_ends}
    assert not PhoneNumber.objects.due(now - timedelta(hours=1)).exists()
    assert PhoneNumber.objects.filter(tenant__slug="globex").count() == 15
    assert not PhoneNumber.objects.filter(tenant__slug="initech").exists()

    orders = PortOrder.objects.filter(tenant__slug="acme")
    assert sorted(orders.values_list("state", flat=True)) == sorted(PortState)
    assert orders.get(state="confirmed").confirmed_on > berlin.day(now)
    assert [n for n in PortNumber.objects.values_list("e164", flat=True) if not FILM.fullmatch(n)] == []
    assert PortOut.objects.get().leaves_on > berlin.day(now)
    assert PortProvider.objects.count() == 10


def test_bob_has_calls_fax_access_and_faxes_to_look_at(told, operator):
    acme = Tenant.objects.get(slug="acme")
    with tenancy.tenant_transaction(acme.pk):
        assert calls.allowed_to_staff()
        assert calls.of_person(StaffMember.objects.get(name="Bob Brandt")).count() >= 5
        numbers = PhoneNumber.objects.filter(pk__in=FaxCredential.objects.values("number"))
        states = [row.state for number in numbers for row in people.of_number(number, at=NOW)]
        assert sorted(states) == ["expired", "revoked", "shown", "used", "waiting"]
    alices, bobs = (FaxJob.objects.of_user(User.objects.get(email=f"{n}@acme.example").pk) for n in ("alice", "bob"))
    assert set(alices.values_list("state", flat=True)) == {"sent", "failed", "cancelled", "waiting"}
    assert set(bobs.values_list("state", flat=True)) == {"sent", "failed", "waiting"}
    assert all((told[1] / job.preview).exists() for job in bobs)
    assert all(FILM.fullmatch(job.destination) for job in (*alices, *bobs) if job.destination)


def test_load_uses_film_numbers_and_example_domains_only(operator):
    assert [n for n in PhoneNumber.objects.values_list("e164", flat=True) if not FILM.fullmatch(n)] == []
    places = Forwarding.objects.values_list("destination", flat=True)
    assert [p for p in places if not (FILM.fullmatch(p) or p.endswith(".example"))] == []
    assert [p for p in User.objects.values_list("email", flat=True) if not p.endswith(".example")] == []


def test_load_leaves_true_slots_trace_and_runs(operator):
    in_service = set(PhoneNumber.objects.active(NOW).values_list("e164", flat=True))
    assert set(Slot.objects.exclude(until_on__lte=berlin.day(NOW)).values_list("label", flat=True)) == in_service
    assert not AuditEvent.objects.filter(at__gt=NOW).exists()
    told = list(AuditEvent.objects.filter(tenant__slug="acme").order_by("id").values_list("at", "verb"))
    moved_back = [verb for (at, _), (later, verb) in pairwise(told) if later < at - timedelta(days=1)]
    assert moved_back == []  # an act of several steps may end after the next one began, but nothing is told months late
    verbs = dict(AuditEvent.objects.filter(object_type="number").values_list("verb").annotate(Count("id")))
    assert verbs["number.deactivated"] == sum(JobRun.objects.values_list("done", flat=True)) > 5
    assert JobRun.objects.count() == demo.MONTHS
    assert JobRun.objects.order_by("as_of").values_list("as_of", flat=True).first() == date(2025, 10, 1)
    waiting = OutboxMessage.objects.filter(state=OutboxMessage.State.PENDING)
    assert 1 <= waiting.count() <= 20
    assert not waiting.filter(created_at__lt=NOW - demo.FRESH).exists()


def test_load_is_done_once(operator):
    before = (PhoneNumber.objects.count(), AuditEvent.objects.count(), User.objects.count())

    assert demo.load(now=NOW + timedelta(days=40)) is False

    assert (PhoneNumber.objects.count(), AuditEvent.objects.count(), User.objects.count()) == before


def test_load_gives_everybody_their_roles_and_the_password(operator):
    for account in accounts.ACCOUNTS:
        person = User.objects.get(email=account.email)
        roles = dict(Membership.objects.filter(user=person).values_list("tenant__slug", "role"))
        assert (person.name, person.is_operator, roles) == (account.name, account.is_operator, account.roles)
        assert person.check_password(accounts.DEMO_PASSWORD)
    assert set(Tenant.objects.values_list("slug", flat=True)) == set(accounts.TENANTS)


def test_load_has_two_versions_of_the_standard_price(operator):
    versions = Price.objects.filter(price_class="standard").order_by("valid_from").values_list("valid_from", "monthly")
    assert list(versions) == [(date(2022, 1, 1), Decimal("2.50")), (date(2026, 1, 1), Decimal("2.90"))]


@pytest.mark.django_db
def test_load_demo_refuses_where_no_demo_is_meant(settings):
    settings.DEMO = False

    with pytest.raises(CommandError, match="no demo"):
        call_command("load_demo")

    assert not User.objects.exists()


def test_every_site_writes_its_numbers_in_the_right_area():
    for site in (*sites.ACME_SITES, sites.COLOGNE_PORTING, sites.GLOBEX_SITE):
        assert all(e164.startswith(f"+49{site.area_code}") for e164 in site.e164s())


def test_walls_stand_while_the_story_is_told(operator):
    globex = Tenant.objects.get(slug="globex")
    with tenancy.tenant_transaction(globex.pk):
        assert PhoneNumber.objects.count() == 15


def test_load_employs_people_in_every_state(operator):
    acme = StaffMember.objects.filter(tenant__slug="acme")
    states = dict(acme.values_list("state").annotate(count=Count("pk")))
    assert (acme.count(), states["locked"], states["left"]) == (40, 1, 1)
    assert len(set(acme.exclude(department="").values_list("department", flat=True))) == 6
    assert acme.exclude(user=None).count() == 4
    assert StaffMember.objects.filter(tenant__slug="globex").count() == 6
    assert not StaffMember.objects.filter(tenant__slug="initech").exists()
    open_ones = Invitation.objects.filter(accepted_at=None, revoked_at=None)
    assert sorted(invitation.is_open(NOW) for invitation in open_ones) == [False, True]
    [mail] = OutboxMessage.objects.filter(template="staff/invitation", state="pending")
    assert mail.context["url"]
    assert [m.context for m in OutboxMessage.objects.filter(template="staff/invitation", state="sent")] == [{}]
    assert [p for p in acme.exclude(email="").values_list("email", flat=True) if not p.endswith(".example")] == []
