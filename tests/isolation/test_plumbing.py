"""Where a tenant could leak between requests: reused connections, exceptions, streams, callbacks, nesting, roles."""

import threading
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.test import Client
from django.urls import clear_url_caches, include, path

from numbers.models import PhoneNumber
from portal import tenancy
from portal.access import administrator
from portal.models import AuditEvent
from tests import make
from tests.isolation import walls
from tests.isolation.test_urls import without_row_level_security


def labels():
    return [number.label for number in PhoneNumber.objects.order_by("e164")]


def announced():
    [found] = walls.rows(
        "SELECT current_setting('app.tenant_id', true), current_setting('app.user_id', true), current_user"
    )
    return tuple(value or "" for value in found)


@pytest.fixture
def two(cast):
    """Both tenants with one number each; Acme's is called acme, Globex's globex."""
    for place, tenant in enumerate((cast.acme, cast.globex)):
        with tenancy.tenant_transaction(tenant.pk):
            make.number(f"+49302312570{place}", label=tenant.slug)
    return cast


# --- requests ---


@administrator
def raising(request):
    PhoneNumber.objects.update(label="changed")
    raise ValueError("broken on purpose")


@administrator
def missing(request):
    PhoneNumber.objects.update(label="changed")
    raise Http404


@administrator
def answering_500(request):
    PhoneNumber.objects.update(label="changed")
    return HttpResponse(status=500)


@administrator
def rendering(request):
    response = TemplateResponse(request, "409.html")
    response.add_post_render_callback(lambda done: done.headers.__setitem__("X-Seen", ",".join(labels())))
    return response


@administrator
def streaming(request):
    def rows():
        yield from labels()

    return StreamingHttpResponse(rows())


@administrator
def streaming_rightly(request):
    tenant_id = request.membership.tenant_id

    def rows():
        with tenancy.tenant_transaction(tenant_id):
            yield from labels()

    return StreamingHttpResponse(rows())


@administrator
def looking(request):
    return HttpResponse(",".join([*labels(), *announced()]))


@administrator
def by_sql(request):
    return HttpResponse(",".join(label for (label,) in walls.rows("SELECT label FROM numbers_phonenumber")))


VIEWS = {
    view.__name__: view
    for view in (raising, missing, answering_500, rendering, streaming, streaming_rightly, looking, by_sql)
}


@pytest.fixture
def planted(monkeypatch):
    class Urls:
        urlpatterns = (
            *(path(f"planted/{name}/", view) for name, view in VIEWS.items()),
            path("", include("portal.urls")),
        )
        handler500 = "portal.views.errors.server_error"

    monkeypatch.setattr("django.conf.settings.ROOT_URLCONF", Urls)
    clear_url_caches()
    yield
    monkeypatch.undo()
    clear_url_caches()


@pytest.mark.parametrize(("name", "status"), [("raising", 500), ("answering_500", 500), ("missing", 404)])
def test_a_view_that_fails_leaves_nothing_behind(two, planted, sign_in, name, status):
    client = sign_in(two.alice, raise_request_exception=False)

    assert client.get(f"/planted/{name}/").status_code == status

    with tenancy.tenant_transaction(two.acme.pk):
        assert labels() == ["acme"]


def test_a_template_response_is_rendered_inside_the_tenant(two, planted, sign_in):
    assert sign_in(two.alice).get("/planted/rendering/").headers["X-Seen"] == "acme"


def test_a_stream_that_forgot_its_tenant_fails_loudly(two, planted, sign_in):
    response = sign_in(two.alice).get("/planted/streaming/")

    with pytest.raises(tenancy.NoTenant):
        b"".join(response.streaming_content)


def test_a_stream_with_a_transaction_of_its_own_sees_its_tenant(two, planted, sign_in):
    response = sign_in(two.carl).get("/planted/streaming_rightly/")

    assert b"".join(response.streaming_content) == b"globex"


def test_after_a_request_nothing_is_announced(two, planted, sign_in):
    with tenancy.tenant_transaction(two.globex.pk):
        pass  # leaves the settings as they were: empty
    sign_in(two.alice).get("/planted/looking/")

    with pytest.raises(tenancy.NoTenant):
        PhoneNumber.objects.count()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["looking", "by_sql"])
def test_tenants_that_take_turns_on_one_connection_never_meet(two, planted, name, scale):
    """Two people in one thread, so on one persistent connection; two threads at once; failures in between."""
    turns, seen, wrong = scale(300), [], []

    def one_thread():
        try:
            alice, carl = (_signed_in(person) for person in (two.alice, two.carl))
            backends = set()
            for turn in range(turns):
                client, own, foreign = ((alice, "acme", "globex"), (carl, "globex", "acme"))[turn % 2]
                if turn % 7 == 3:
                    client.get("/planted/raising/")
                text = client.get(f"/planted/{name}/").content.decode()
                backends.add(walls.rows("SELECT pg_backend_pid()")[0][0])
                if own not in text or foreign in text or announced()[:2] != ("", ""):
                    wrong.append((turn, own, text, announced()))
            seen.append((turns, len(backends)))
        finally:
            connection.close()

    with _persistent():
        threads = [threading.Thread(target=one_thread) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert wrong == []
    assert seen == [(turns, 1)] * 2  # else it was not one connection that everybody shared


def _signed_in(person):
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


class _persistent:
    """Let connections live on between requests, as in production (tests close them otherwise)."""

    def __enter__(self):
        from django.conf import settings

        self.address = settings.DATABASES["default"]
        self.before = self.address["CONN_MAX_AGE"]
        self.address["CONN_MAX_AGE"] = None

    def __exit__(self, *error):
        self.address["CONN_MAX_AGE"] = self.before


@pytest.mark.django_db(transaction=True)
def test_a_callback_after_the_commit_needs_a_tenant_of_its_own(two):
    found = []

    def careless():
        try:
            labels()
        except tenancy.NoTenant as error:
            found.append(type(error))
        try:
            walls.rows("SELECT label FROM numbers_phonenumber")
        except DatabaseError as error:
            found.append("no tenant announced" in str(error))

    def careful():
        with tenancy.tenant_transaction(two.globex.pk):
            found.append(labels())

    with tenancy.tenant_transaction(two.acme.pk):
        transaction.on_commit(careful)
    transaction.on_commit(careless)
    with transaction.atomic():
        transaction.on_commit(careless)

    assert found == [["globex"], *[tenancy.NoTenant, True] * 2]


# --- the ways in ---


def test_a_tenant_is_announced_inside_a_transaction_only(two):
    with pytest.raises(transaction.TransactionManagementError, match="inside a transaction only"):
        _outside_of_a_transaction(lambda: tenancy.announce(user_id=None, tenant_id=two.acme.pk))


def _outside_of_a_transaction(work):
    result = SimpleNamespace(error=None)

    def run():
        try:
            work()
        except Exception as error:  # noqa: BLE001 -- handed on
            result.error = error
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if result.error:
        raise result.error


def test_without_a_tenant_both_walls_are_loud(two):
    with pytest.raises(tenancy.NoTenant):
        PhoneNumber.objects.count()
    with pytest.raises(tenancy.NoTenant):
        tenancy.current()
    with pytest.raises(tenancy.NoTenant):
        PhoneNumber(e164="+493023125999").save()
    with pytest.raises(DatabaseError, match="no tenant announced"), transaction.atomic():
        walls.rows("SELECT * FROM numbers_phonenumber")


def test_nested_tenants_restore_the_one_before(two):
    with tenancy.tenant_transaction(two.acme.pk, user_id=two.erika.pk):
        outside = announced()
        with tenancy.tenant_transaction(two.globex.pk):
            assert (labels(), announced()[:2]) == (["globex"], (str(two.globex.pk), ""))
        assert (labels(), announced()) == (["acme"], outside)

        with pytest.raises(ZeroDivisionError), tenancy.tenant_transaction(two.globex.pk):
            1 / PhoneNumber.objects.filter(label="gone").update(label="changed")
        assert (labels(), announced()) == (["acme"], outside)

        with pytest.raises(DatabaseError), tenancy.tenant_transaction(two.globex.pk):
            walls.rows("SELECT 1 / 0")
        assert (labels(), announced()) == (["acme"], outside)


def test_a_rolled_back_savepoint_keeps_the_tenant(two):
    with tenancy.tenant_transaction(two.acme.pk):
        with pytest.raises(DatabaseError), transaction.atomic():
            walls.rows("SELECT 1 / 0")

        assert labels() == ["acme"]
        assert walls.rows("SELECT label FROM numbers_phonenumber") == [("acme",)]


def test_tenant_work_of_the_operators_processes_stands_behind_both_walls(two, as_operator):
    with as_operator():
        assert announced()[2] == "portal_ops"
        assert sorted(labels()) == ["acme", "globex"]
        with tenancy.tenant_transaction(two.acme.pk):
            assert announced() == (str(two.acme.pk), "", "portal_app")
            assert labels() == ["acme"]
            assert walls.rows("SELECT label FROM numbers_phonenumber") == [("acme",)]
            with tenancy.tenant_transaction(two.globex.pk):
                assert (announced()[2], labels()) == ("portal_app", ["globex"])
            assert announced()[2] == "portal_app"
        assert (announced()[2], sorted(labels())) == ("portal_ops", ["acme", "globex"])

        with pytest.raises(ValueError, match="on purpose"), tenancy.tenant_transaction(two.acme.pk):
            raise ValueError("on purpose")
        assert (announced()[2], sorted(labels())) == ("portal_ops", ["acme", "globex"])


def test_lifting_wall_1_lifts_nothing_for_the_web(two):
    with tenancy.tenant_transaction(two.acme.pk), tenancy.every_tenant():
        assert labels() == ["acme"]
    with tenancy.every_tenant(), pytest.raises(DatabaseError, match="no tenant announced"), transaction.atomic():
        labels()


def test_wall_1_holds_alone_for_related_rows_and_bulk_writes(two):
    with tenancy.tenant_transaction(two.globex.pk):
        foreign = PhoneNumber.objects.get()
    without_row_level_security()

    with tenancy.tenant_transaction(two.acme.pk):
        assert PhoneNumber.objects.locked([foreign.pk]) == []
        assert PhoneNumber.objects.filter(pk=foreign.pk).update(label="changed") == 0
        assert PhoneNumber.objects.filter(pk=foreign.pk).delete()[0] == 0
        with pytest.raises(PhoneNumber.DoesNotExist):
            foreign.refresh_from_db()
        assert PhoneNumber._base_manager.count() == PhoneNumber._default_manager.count() == 1


def test_a_row_belongs_to_the_announced_tenant_unless_it_says_otherwise(two):
    with tenancy.tenant_transaction(two.acme.pk):
        assert make.number("+493023125710").tenant_id == two.acme.pk
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            make.number("+493023125711", tenant=two.globex)
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            AuditEvent.objects.create(tenant=two.globex, at=make.ALLOCATED, verb="x", object_type="x")


def test_the_role_that_is_set_is_one_of_two():
    with pytest.raises(ValueError, match="portal_owner"):
        tenancy._set_role("portal_owner")
