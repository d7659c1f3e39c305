"""Every form on every page, sent with foreign ids and with fields that nobody offered."""

import pytest
from django.http import HttpResponse
from django.urls import clear_url_caches, include, path

from numbers.models import PhoneNumber
from portal.access import administrator
from tests.isolation import forms, routes, walk
from tests.isolation import world as worlds
from tests.isolation.test_urls import standing, without_row_level_security

__all__ = ["standing"]
ACTING = ["alice", "erika"]


@pytest.mark.parametrize("viewer", ACTING)
def test_foreign_ids_in_forms_change_nothing_of_another_tenant(standing, viewer):
    assert forms.foreign_ids(walk.Viewer(viewer, standing)) == []


@pytest.mark.parametrize("viewer", ["alice", "dora"])
def test_fields_that_nobody_offered_change_nothing(world, viewer):
    assert forms.extra_fields(walk.Viewer(viewer, world)) == []


def test_a_form_leads_to_everything_that_acts(world):
    assert forms.without_form(walk.Viewer("alice", world), walk.Viewer("erika", world)) == []


def test_the_forms_work_when_sent_as_they_are(world):
    """Else the refusals above prove nothing: sent untouched, these forms do change something."""
    alice = walk.Viewer("alice", world)
    effective = set()
    for form in forms.collected(alice):
        before = worlds.fingerprints(of=world.acme.tenant.pk)
        with forms._taken_back():
            sent = {name: values for name, values in form.fields.items() if name not in forms.OWN_FIELDS}
            alice.post(form.action, sent)
            if worlds.changed(before, worlds.fingerprints(of=world.acme.tenant.pk)):
                effective.add(form.route)

    expected = {"activate", "deactivate", "withdraw", "forwarding_remove", "edit", "swap", "bulk"}
    assert effective >= {f"numbers:{name}" for name in expected} - walk.unwritten()


def test_forms_are_read_as_a_browser_reads_them():
    text = """
      <form method="get" action="/numbers/"><input name="q"></form>
      <form method="post" id="bulk" action="/numbers/bulk/"><input type="hidden" name="verb" value="activate">
        <select name="area"><option value="">all</option><option value="3">A</option></select>
        <input type="checkbox" name="sure"></form>
      <input type="checkbox" form="bulk" name="ids" value="7"><input type="checkbox" form="bulk" name="ids" value="8">
    """

    [form] = forms.on("/numbers/", text)

    assert (form.action, form.fields) == (
        "/numbers/bulk/",
        {"verb": ["activate"], "area": ["3"], "sure": ["on"], "ids": ["7", "8"]},
    )


# --- what this must find, planted ---


@administrator
def page(request):
    own = PhoneNumber.objects.order_by("pk").first()
    return HttpResponse(f'<form method="post" action="/planted/act/"><input name="number" value="{own.pk}"></form>')


@administrator
def trusting(request):
    """Takes whatever it is sent, as a careless view with a ModelForm of all fields would."""
    from django.db import models

    rows = models.QuerySet(PhoneNumber).filter(pk__in=request.POST.getlist("number"))
    rows.update(price_class=request.POST.get("price_class", "standard"), note="taken")
    return HttpResponse("".join(rows.values_list("label", flat=True)))


@pytest.fixture
def alice(world, monkeypatch):
    class Urls:
        urlpatterns = (
            path("planted/", page, name="planted"),
            path("planted/act/", trusting, name="planted_act"),
            path("", include("portal.urls")),
        )

    monkeypatch.setattr("django.conf.settings.ROOT_URLCONF", Urls)
    monkeypatch.setattr(routes, "ROUTES", {"planted": routes.Route(), "planted_act": routes.Route(acts=True, get=405)})
    monkeypatch.setattr(walk, "ROUTES", routes.ROUTES)
    monkeypatch.setattr(forms, "ROUTES", routes.ROUTES)
    clear_url_caches()
    yield walk.Viewer("alice", world)
    monkeypatch.undo()
    clear_url_caches()


def test_a_planted_form_that_takes_foreign_ids_is_held_by_wall_2_and_found_without(alice):
    assert forms.foreign_ids(alice) == []
    without_row_level_security()

    found = forms.foreign_ids(alice)

    what = "alice: planted_act from /planted/, foreign number"
    assert {f"{what}: changed the other tenant's numbers_phonenumber", f"{what}: shows “canary”"} <= set(found)


def test_a_planted_form_that_takes_a_price_is_found(alice):
    assert forms.extra_fields(alice) == ["alice: planted_act from /planted/: extra fields changed numbers_phonenumber"]


def test_a_planted_action_without_a_form_is_found(alice, monkeypatch):
    monkeypatch.setattr(forms, "on", lambda *anything: [])

    assert forms.without_form(alice) == ["planted_act"]
