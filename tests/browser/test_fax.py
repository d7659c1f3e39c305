"""The source's steps for fax credentials, personal and shared, up to the password that is shown once."""

import re
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from fax import access
from fax.models import FaxCredential
from numbers import assignment
from numbers.messages import display
from numbers.models import PhoneNumber
from portal.models import OutboxMessage
from tests import make
from tests.browser.looks import faults
from tests.browser.steps import opened, row


class Words(NamedTuple):
    sign: str
    title: str
    send: str
    several: str
    one: str
    personal: str
    no_address: str
    show: str
    used: str
    copy: str
    copied: str


WORDS = {
    "de": Words(
        "Fax-Zugangsdaten von {} versenden",
        "Fax-Zugangsdaten versenden",
        "Zugangsdaten an Mitarbeiter versenden",
        "Die Zugangsdaten des Fax-Druckertreibers wurden an 2 Mitarbeiter versendet.",
        "Die Zugangsdaten des Fax-Druckertreibers wurden an Bob Brandt versendet.",
        "ausschließlich an den Mitarbeiter versendet",
        "Keine E-Mail-Adresse.",
        "Meine Zugangsdaten anzeigen",
        "Der Link wurde schon verwendet",
        "Kopieren: Passwort",
        "Kopiert",
    ),
    "en": Words(
        "Send fax credentials of {}",
        "Send fax credentials",
        "Send credentials to staff",
        "The credentials of the fax printer driver are on their way to 2 people.",
        "The credentials of the fax printer driver are on their way to Bob Brandt.",
        "Only the person it is assigned to receives",
        "No e-mail address.",
        "Show my credentials",
        "The link was used already",
        "Copy: Password",
        "Copied",
    ),
}


@pytest.fixture
def office(in_acme, cast):
    """A personal fax of Bob's and a shared one of Bob and of Noah, who has no address; Dora may be chosen, too."""
    with in_acme():
        own = make.number(state="active", usage="fax_personal")
        shared = make.number(state="active", usage="fax_shared")
        bob, noah = make.member("Bob Brandt", user=cast.bob), make.member("Noah Neumann")
        make.member("Dora Dietrich", user=cast.dora)
        for number, member in ((own, bob), (shared, bob), (shared, noah)):
            rows = PhoneNumber.objects.locked([number.pk])
            assignment.assign(rows, staff_member=member, by=cast.alice, at=timezone.now())
    return SimpleNamespace(own=own, shared=shared)


def test_send_fax_credentials_and_see_them_once(visit, cast, in_acme, office, manner, watch):
    say = WORDS[manner.language]
    page = visit(cast.alice, manner.language, js=manner.js)
    found = []

    # a shared fax: the staff who are to get them are chosen
    page.goto("/numbers/")
    shown = display(office.shared)
    row(page, shown).get_by_role("link", name=say.sign.format(shown), exact=True).click()
    dialog = opened(page, js=manner.js, title=say.title)
    expect(dialog.get_by_role("checkbox", name="Bob Brandt")).to_be_checked()
    expect(dialog.get_by_role("checkbox", name="Noah Neumann")).to_be_disabled()
    expect(dialog.get_by_text(say.no_address)).to_be_visible()
    dialog.get_by_role("checkbox", name="Dora Dietrich").check()
    if manner.js:
        found += faults(page, "window")
    dialog.get_by_role("button", name=say.send, exact=True).click()
    expect(page.get_by_text(say.several)).to_be_visible()
    expect(page.get_by_text("dora@acme.example")).to_be_visible()
    if manner.js:
        found += faults(page, "confirmation")

    # a personal fax: its assignee, fixed
    page.goto("/numbers/")
    shown = display(office.own)
    row(page, shown).get_by_role("link", name=say.sign.format(shown), exact=True).click()
    dialog = opened(page, js=manner.js, title=say.title)
    expect(dialog.get_by_text(say.personal)).to_be_visible()
    expect(dialog.get_by_role("checkbox")).to_have_count(1)
    expect(dialog.get_by_role("checkbox", name="Bob Brandt")).to_be_disabled()
    dialog.get_by_role("button", name=say.send, exact=True).click()
    expect(page.get_by_text(say.one)).to_be_visible()

    # the link in Bob's mail
    with in_acme():
        mail = OutboxMessage.objects.filter(recipient="bob@acme.example", template="fax/access").latest("pk")
        link = re.search(r"/fax/link/\S+", mail.context["url"])[0]
    theirs = visit(cast.bob, manner.language, js=manner.js)
    theirs.goto(link)
    theirs.get_by_role("button", name=say.show).click()
    secret = theirs.locator("#secret").inner_text()
    if manner.js:
        theirs.context.grant_permissions(["clipboard-read", "clipboard-write"])
        theirs.get_by_role("button", name=say.copy, exact=True).click()
        expect(theirs.get_by_text(say.copied, exact=True)).to_be_visible()
        assert theirs.evaluate("navigator.clipboard.readText()") == secret
        found += faults(theirs, "shown once")
    with in_acme():
        credential = FaxCredential.objects.get(number=office.own)
        assert access.verify(credential.username, secret, e164=office.own.e164, at=timezone.now()) == credential
    watch.expects = {404}
    theirs.goto(link)
    expect(theirs.get_by_text(say.used)).to_be_visible()
    assert found == []
