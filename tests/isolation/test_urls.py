"""Every URL, as everybody, with own, foreign and missing ids: with both walls, and with each of them alone."""

import pytest
from django.db import connection, models
from django.http import HttpResponse
from django.urls import clear_url_caches, get_resolver, include, path

from numbers.models import PhoneNumber
from portal import tenancy
from portal.access import administrator
from portal.models import AuditEvent
from tests.isolation import routes, walk, walls
from tests.isolation import world as worlds


def without_row_level_security():
    """Wall 1 alone: PostgreSQL lets the role of migrations see and change every row."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE portal_owner")
    assert walls.rows("SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user") == [(True,)]


def without_manager(monkeypatch):
    """Wall 2 alone: `Model.objects` forgets the tenant."""
    monkeypatch.setattr(tenancy.TenantManager, "get_queryset", lambda self: models.Manager.get_queryset(self))


@pytest.fixture(params=["both walls", "wall 1 alone", "wall 2 alone"])
def standing(request, world, monkeypatch):
    """The world, behind both walls or behind one of them with the other taken away."""
    if request.param == "wall 1 alone":
        without_row_level_security()
    elif request.param == "wall 2 alone":
        without_manager(monkeypatch)
    return world


def test_every_url_is_in_the_table(db):
    assert routes.unlisted() == []


def test_every_page_is_written(world):
    alice = walk.Viewer("alice", world)

    assert walk.unwritten() == set()
    assert [url for name in routes.ROUTES for _, url in walk.addresses(name, alice) if not alice.get(url).status] == []


def looked():
    with worlds.everything():
        return AuditEvent.objects.filter(verb="calls.viewed").count()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("viewer", routes.VIEWERS)
def test_looking_shows_nothing_of_another_tenant_and_changes_no_row(standing, viewer):
    somebody = walk.Viewer(viewer, standing)
    before, events = worlds.fingerprints(), looked()

    assert walk.looks(somebody) == []

    traced = ["portal_auditevent"] if looked() > events else []  # rule T5: a look at calls leaves an event
    assert worlds.changed(before, worlds.fingerprints()) == traced
    assert not traced or viewer in ("alice", "carl", "erika")


@pytest.mark.parametrize("viewer", ["alice", "erika"])
def test_partial_answers_show_nothing_of_another_tenant(standing, viewer):
    names = [name for name, route in routes.ROUTES.items() if isinstance(route, routes.Route)]

    assert walk.looks(walk.Viewer(viewer, standing), names=names, htmx=True) == []


@pytest.mark.parametrize("viewer", ["alice", "carl", "dora", "erika"])
def test_foreign_ids_in_the_query_show_nothing(standing, viewer):
    assert walk.probes(walk.Viewer(viewer, standing)) == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("viewer", routes.VIEWERS)
def test_posting_changes_nothing_of_another_tenant(standing, viewer):
    assert walk.pushes(walk.Viewer(viewer, standing)) == []


@pytest.mark.parametrize("shown", ["label", "note", "forwarding", "history", "call"])
def test_the_owner_sees_what_others_must_not(world, shown):
    """Else the canaries prove nothing: on Carl's own pages they stand in plain sight."""
    carl = walk.Viewer("carl", world)
    pages = {
        "label": "numbers:overview",
        "note": "numbers:number",
        "forwarding": "numbers:number",
        "history": "numbers:history",
        "call": "numbers:calls",
    }
    url = walk.address(pages[shown], world.globex.ids["active"] if routes.ROUTES[pages[shown]].owns else None)

    seen = carl.get(url)

    words = {
        "label": "canary label",
        "note": "canary note",
        "forwarding": "canary@phone",
        "history": "canary",
        "call": "90009799",
    }
    assert words[shown] in seen.text


# --- what the walk must find, planted ---


def all_numbers(request, pk=0):
    return HttpResponse("".join(number.label for number in PhoneNumber.objects.all()))


def all_events(request, pk=0):
    return HttpResponse("".join(event.object_label for event in AuditEvent.objects.all()))


def by_sql(request, pk=0):
    with connection.cursor() as cursor:
        cursor.execute("SELECT label FROM numbers_phonenumber WHERE id = %s", [pk])
        return HttpResponse(str(cursor.fetchone()))


def past_the_manager(request, pk):
    rows = models.QuerySet(PhoneNumber)
    rows.filter(pk=pk).update(note="changed")
    return HttpResponse("".join(rows.filter(pk=pk).values_list("label", flat=True)))


def forbidden_if_foreign(request, pk):
    return HttpResponse(status=403 if walls.rows("SELECT count(*) FROM portal_tenant") else 404)


@pytest.fixture
def planted(world, settings, monkeypatch):
    """Return a function that adds a careless view at /planted/<pk>/ (and says whether administrators alone enter)."""

    def plant(view, *, listed=True):
        class Urls:
            urlpatterns = (
                path("planted/<int:pk>/", administrator(view), name="planted"),
                path("", include("portal.urls")),
            )
            handler404 = "portal.views.errors.not_found"

        monkeypatch.setattr("django.conf.settings.ROOT_URLCONF", Urls)
        clear_url_caches()
        if listed:
            monkeypatch.setitem(routes.ROUTES, "planted", routes.Route(owns="active", acts=True))
        return walk.Viewer("alice", world)

    yield plant
    monkeypatch.undo()
    clear_url_caches()
    assert "planted" not in {name for _, name, _ in routes.patterns(get_resolver())}


def test_a_planted_url_without_an_entry_fails_the_suite(planted):
    planted(all_numbers, listed=False)

    assert "/planted/<int:pk>/: no entry in tests/isolation/routes.py" in routes.unlisted()


def test_an_entry_without_a_url_fails_the_suite(db, monkeypatch):
    monkeypatch.setitem(routes.ROUTES, "numbers:gone", routes.Route())

    assert "numbers:gone: an entry without a URL" in routes.unlisted()


def test_a_planted_view_that_asks_everybody_is_found(planted):
    alice = planted(all_numbers)

    found = walk.looks(alice, names=["planted"])

    assert found == [
        f"alice: GET {walk.address('planted', key)} ({whose}): 200, not [404]" for whose, key in ids(alice)
    ]


def ids(viewer):
    return [("foreign", viewer.foreign.ids["active"]), ("missing", walk.MISSING)]


@pytest.mark.parametrize("view", [by_sql, past_the_manager, all_events])
def test_a_planted_view_past_wall_1_leaks_only_when_wall_2_is_gone(planted, view):
    alice = planted(view)

    assert not [found for found in walk.looks(alice, names=["planted"]) if "shows" in found]
    without_row_level_security()

    assert [found for found in walk.looks(alice, names=["planted"]) if "shows" in found]


def test_a_planted_view_without_filter_is_held_by_either_wall_and_by_none_of_them(planted, monkeypatch):
    alice = planted(all_numbers)

    def leaks():
        return [found for found in walk.looks(alice, names=["planted"]) if "shows “canary”" in found]

    assert not leaks()
    without_manager(monkeypatch)
    assert not leaks()
    without_row_level_security()

    assert leaks()


def test_a_planted_view_that_writes_past_wall_1_is_found_when_wall_2_is_gone(planted):
    alice = planted(past_the_manager)
    without_row_level_security()

    assert [found for found in walk.pushes(alice, names=["planted"]) if "changed the other tenant's" in found]


def test_a_planted_view_that_changes_rows_when_looked_at_is_found(planted, world):
    alice = planted(past_the_manager)
    before = worlds.fingerprints()

    walk.looks(alice, names=["planted"])

    assert worlds.changed(before, worlds.fingerprints()) == ["numbers_phonenumber"]


def test_a_planted_difference_between_foreign_and_missing_is_found(planted):
    def telling(request, pk):
        return HttpResponse("no such number" if pk == walk.MISSING else "not yours", status=404)

    alice = planted(telling)

    assert "alice: GET planted: a foreign id is told apart from a missing one" in walk.looks(alice, names=["planted"])


@pytest.mark.parametrize(
    "drawn",
    [
        '<input type="hidden" name="csrfmiddlewaretoken" value="x9AcMeQ7">',
        '<meta name="csrf-token" content="qacmeW">',
        "Set-Cookie: portal_csrf=zzACMEzz; expires=Mon",
        "Set-Cookie: portal_session=kacme1; HttpOnly",
        f'<input name="_tenant" value="7:{"acme" + "x" * 39}">',
    ],
)
def test_letters_drawn_by_lot_are_no_finding_and_a_name_beside_them_is(world, drawn):
    carl = walk.Viewer("carl", world)

    assert walk._shown("page", carl, drawn) == []
    assert walk._shown("page", carl, f"{drawn} Acme GmbH") == ["page: shows “Acme”"]
