"""What goes wrong is said calmly: expired sessions, switched tenants, errors of the server, a lost connection."""

import logging
import re
from io import StringIO

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect
from structlog.stdlib import ProcessorFormatter

from numbers import lifecycle
from numbers.messages import display
from numbers.models import PhoneNumber
from portal import tenancy
from portal.models import AuditEvent
from tests import make
from tests.browser import looks
from tests.browser.steps import opened, row

ACTIVATE = "Rufnummern jetzt kostenpflichtig aktivieren"


@pytest.fixture
def number(in_acme):
    with in_acme():
        return make.number(label="Empfang")


@pytest.fixture
def log():
    """Return what the log says during the test, written as the process writes it."""
    heard, root = StringIO(), logging.getLogger()
    handler = logging.StreamHandler(heard)
    own = [known.formatter for known in root.handlers if isinstance(known.formatter, ProcessorFormatter)]
    handler.setFormatter(own[0])
    root.addHandler(handler)
    yield heard
    root.removeHandler(handler)


def open_dialog(page, number, *, js=True):
    page.goto("/numbers/?state=inactive")
    row(page, display(number)).get_by_role("link", name=f"{display(number)} aktivieren", exact=True).click()
    return opened(page, js=js, title="Rufnummer aktivieren")


def state(in_acme, number):
    with in_acme():
        return PhoneNumber.objects.get(pk=number.pk).state


@pytest.mark.parametrize("moment", ["opening", "confirming"])
def test_expired_session_in_a_dialog_leads_to_the_sign_in_and_back(visit, cast, in_acme, number, moment):
    page = visit(cast.alice)
    if moment == "opening":
        page.goto("/numbers/?state=inactive")
        Session.objects.all().delete()
        row(page, display(number)).get_by_role("link", name=f"{display(number)} aktivieren", exact=True).click()
    else:
        dialog = open_dialog(page, number)
        Session.objects.all().delete()
        dialog.get_by_role("button", name=ACTIVATE).click()

    expect(page).to_have_url(re.compile("/accounts/login/"))
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_label("E-Mail").fill("alice@acme.example")
    page.get_by_label("Passwort", exact=True).fill(make.PASSWORD)
    page.get_by_role("button", name="Anmelden", exact=True).click()

    expect(page).to_have_url(re.compile(r"/numbers/\?state=inactive$"))
    expect(row(page, display(number))).to_be_visible()
    assert state(in_acme, number) == "inactive"


def test_server_error_in_a_dialog_is_a_toast_with_the_number_that_is_in_the_log(
    visit, cast, in_acme, number, watch, monkeypatch, log
):
    watch.expects = {500}
    page = visit(cast.alice)
    dialog = open_dialog(page, number)
    monkeypatch.setattr(lifecycle, "activate", _broken)

    dialog.get_by_role("button", name=ACTIVATE).click()

    toast = dialog.get_by_role("alert")
    expect(toast).to_contain_text("Das hat leider nicht geklappt. Es wurde nichts geändert")
    reference = toast.locator("code").inner_text()
    assert re.fullmatch(r"[0-9A-F]{8}", reference)
    assert any("Internal Server Error" in line and f"ref={reference}" in line for line in log.getvalue().splitlines())
    expect(dialog.get_by_role("button", name=ACTIVATE)).to_be_enabled()
    assert state(in_acme, number) == "inactive"
    monkeypatch.undo()
    dialog.get_by_role("button", name=ACTIVATE).click()
    expect(page.get_by_text(f"Die Rufnummer {display(number)} ist jetzt aktiv.")).to_be_visible()


@pytest.mark.parametrize("language", ["de", "en"])
def test_server_error_on_a_page_is_calm_and_names_a_reference(visit, cast, number, watch, monkeypatch, language):
    watch.expects = {500}
    page = visit(cast.alice, language, js=False)
    page.goto(f"/numbers/{number.pk}/activate/")
    monkeypatch.setattr(lifecycle, "activate", _broken)

    page.locator("button.btn-buy").click()

    title = {"de": "Hier ist etwas schiefgegangen", "en": "Something went wrong here"}[language]
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator("code")).to_have_text(re.compile(r"[0-9A-F]{8}"))


def _broken(*_args, **_named):
    raise RuntimeError("planted")


def test_lost_connection_is_said_and_nothing_is_lost(visit, cast, in_acme, number, watch):
    page = visit(cast.alice)
    dialog = open_dialog(page, number)

    page.context.set_offline(True)
    dialog.get_by_role("button", name=ACTIVATE).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Das Portal ist nicht erreichbar")
    page.context.set_offline(False)
    dialog.get_by_role("button", name=ACTIVATE).click()

    expect(page.get_by_text(f"Die Rufnummer {display(number)} ist jetzt aktiv.")).to_be_visible()
    assert state(in_acme, number) == "active"
    with in_acme():
        assert AuditEvent.objects.filter(verb="number.activated").count() == 1
    assert [fault for fault in watch.faults if "Failed to fetch" not in fault] == []
    watch.faults.clear()


@pytest.mark.parametrize("js", [True, False])
def test_two_tabs_with_a_switch_of_the_tenant_between_them(visit, cast, in_acme, number, watch, js):
    """The form of the old tenant changes nothing in either tenant, and the page says why."""
    watch.expects = {409}
    with tenancy.tenant_transaction(cast.globex.pk, user_id=cast.carl.pk):
        make.number("+494066969010", area_code="40")
    old_tab = visit(cast.erika, js=js)
    other_tab = old_tab.context.new_page()
    other_tab.goto("/numbers/")
    switch(other_tab, "Acme GmbH")
    dialog = open_dialog(old_tab, number, js=js)
    switch(other_tab, "Globex AG")

    dialog.get_by_role("button", name=ACTIVATE).click()

    if js:
        expect(old_tab.get_by_text(re.compile("Sie haben inzwischen zu .* gewechselt")).first).to_be_visible()
        expect(old_tab.get_by_role("banner")).to_contain_text("Globex AG")
    else:
        expect(old_tab.get_by_role("heading", name="Inzwischen hat sich etwas geändert")).to_be_visible()
    assert state(in_acme, number) == "inactive"
    with tenancy.tenant_transaction(cast.globex.pk, user_id=cast.carl.pk):
        assert PhoneNumber.objects.get().state == "inactive"


def switch(page, tenant):
    page.get_by_role("button", name=re.compile("Mandant wechseln")).click()
    page.locator("#tenants").get_by_role("button", name=tenant).click()
    expect(page.get_by_text(f"Sie sehen jetzt {tenant}.")).to_be_visible()
    expect(page.get_by_role("banner")).to_contain_text(tenant)


def test_pages_of_refusal_are_fit_to_be_seen(visit, cast, in_acme, number, watch, monkeypatch):
    watch.expects = {403, 404, 500}
    page, found = visit(cast.bob), []
    for path, title in (
        ("/numbers/", "Dafür fehlt Ihnen die Berechtigung"),
        ("/no-such-page/", "Diese Seite gibt es nicht"),
        (f"/numbers/{number.pk + 10_000}/", "Dafür fehlt Ihnen die Berechtigung"),
    ):
        page.goto(path)
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        found += looks.faults(page, title)
    monkeypatch.setattr("portal.people.membership_of", _broken)
    monkeypatch.setattr("numbers.furniture.address", _broken)
    page = visit(cast.alice)
    page.goto("/numbers/")
    expect(page.get_by_role("heading", name="Hier ist etwas schiefgegangen")).to_be_visible()
    found += looks.faults(page, "500")

    assert found == []


def test_a_violation_of_the_policy_would_be_noticed(visit, cast, watch):
    page = visit(cast.alice)
    page.goto("/help/")

    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    page.wait_for_timeout(100)

    assert any("style-src" in fault for fault in watch.faults)
    watch.faults.clear()
