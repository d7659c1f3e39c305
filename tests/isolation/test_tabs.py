"""Two tabs: a form from before a switch of tenant, sent after it, changes nothing and says so (409)."""

from uuid import uuid4

import pytest

from portal.access import tenant_token
from tests.isolation import forms, walk
from tests.isolation import world as worlds
from tests.isolation.routes import ROUTES, Route

ACTING = sorted(name for name, route in ROUTES.items() if isinstance(route, Route) and route.acts)


@pytest.fixture
def erika(world):
    """Erika, whose first tab shows Acme."""
    return walk.Viewer("erika", world)


def switch(viewer, world):
    """In another tab, she switches to Globex."""
    seen = viewer.post(walk.address("portal:switch_tenant"), {"tenant": str(world.globex.tenant.pk)})
    assert (seen.status, viewer.client.session["tenant_id"]) == (302, world.globex.tenant.pk)


@pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
@pytest.mark.parametrize("name", ACTING)
def test_a_stale_form_changes_nothing(world, erika, name, htmx):
    route = ROUTES[name]
    url = walk.address(name, world.acme.ids[route.owns] if route.owns else None)
    tab = forms.collected(erika, only=name)
    sent = next((form.fields for form in tab if form.action == url), {"tenant": str(world.acme.tenant.pk)})
    switch(erika, world)
    before = worlds.fingerprints()

    seen = erika.post(url, sent | {"_tenant": tenant_token(world.acme.tenant.pk)}, htmx=htmx)

    assert seen.status == 409
    assert worlds.changed(before, worlds.fingerprints()) == []
    assert "parrot" not in seen.text
    if htmx:
        assert "HX-Redirect: /" in seen.text
    else:
        assert "Globex" in seen.text
        assert not seen.location


@pytest.mark.parametrize("token", ["", "1", "1:forged", None], ids=["empty", "unsigned", "forged", "missing"])
@pytest.mark.parametrize("name", ["numbers:activate", "numbers:swap", "numbers:edit"])
def test_a_form_without_a_signed_tenant_changes_nothing(world, name, token):
    alice = walk.Viewer("alice", world)
    route = ROUTES[name]
    url = walk.address(name, alice.own.ids[route.owns] if route.owns else None)
    before = worlds.fingerprints()

    fields = {"operation_id": str(uuid4())} | ({} if token is None else {"_tenant": token})
    seen = walk.answer(lambda: alice.client.post(url, fields))

    assert seen.status == 409
    assert worlds.changed(before, worlds.fingerprints()) == []


def test_a_stale_htmx_look_is_refused_too(world, erika):
    switch(erika, world)
    headers = walk.HTMX | {"X-Tenant": tenant_token(world.acme.tenant.pk)}

    seen = walk.answer(lambda: erika.client.get(walk.address("numbers:overview"), headers=headers))

    assert (seen.status, "parrot" in seen.text, "canary" in seen.text) == (409, False, False)


def test_the_second_tab_works_on(world, erika):
    url = walk.address("numbers:edit", world.globex.ids["active"])

    switch(erika, world)
    fields = {"label": "new", "usage": "voice", "note": "", "_tenant": tenant_token(world.globex.tenant.pk)}
    before = worlds.fingerprints(of=world.globex.tenant.pk)

    assert erika.post(url, fields).status in (200, 302)
    assert "numbers_phonenumber" in worlds.changed(before, worlds.fingerprints(of=world.globex.tenant.pk))


def test_nobody_switches_to_a_tenant_they_do_not_belong_to(world):
    alice = walk.Viewer("alice", world)
    alice.get("/profile/")

    foreign = alice.post(walk.address("portal:switch_tenant"), {"tenant": str(world.globex.tenant.pk)})
    missing = alice.post(walk.address("portal:switch_tenant"), {"tenant": str(walk.MISSING)})

    assert (foreign.status, missing.status) == (404, 404)
    assert walk.plain(foreign) == walk.plain(missing)
    assert alice.client.session["tenant_id"] == world.acme.tenant.pk


def test_a_session_that_names_a_foreign_tenant_gets_ones_own(world):
    """A membership that ended, or a session somebody tampered with: the membership decides, not the session."""
    alice = walk.Viewer("alice", world)
    session = alice.client.session
    session["tenant_id"] = world.globex.tenant.pk
    session.save()

    assert walk.looks(alice) == []
    assert alice.client.session["tenant_id"] == world.acme.tenant.pk
