"""From the list of staff to a person's first page: created, invited by real mail, accepted, signed in."""

import re
import socket
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from portal import outbox
from tests import make
from tests.browser.looks import faults

SECRET = "Sieben-blaue-Elefanten"
WORDS = {
    "de": {
        "new": "Neuer Mitarbeiter",
        "name": "Name",
        "email": "E-Mail",
        "login": "Zugang",
        "create": "Anlegen",
        "invited": "wurde angelegt und eingeladen",
        "link": "Zugang einrichten",
        "password": "Passwort wählen",
        "repeat": "Passwort wiederholen",
        "accept": "Meinen Zugang einrichten",
        "sign in": "Anmelden",
        "dead": "Diese Einladung ist nicht gültig",
    },
    "en": {
        "new": "New staff member",
        "name": "Name",
        "email": "E-mail",
        "login": "Login",
        "create": "Create",
        "invited": "was created and invited",
        "link": "Set up your access",
        "password": "Choose a password",
        "repeat": "Repeat the password",
        "accept": "Set up my access",
        "sign in": "Sign in",
        "dead": "This invitation is not valid",
    },
}


@pytest.fixture
def mailbox(settings):
    """A real mail server; what it takes lies in this list."""
    taken = []

    class Peer:
        async def handle_DATA(self, server, session, envelope):
            taken.append(message_from_bytes(envelope.content, policy=policy.default))
            return "250 taken"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(Peer(), hostname="127.0.0.1", port=port)
    controller.start()
    smtp = {"host": "127.0.0.1", "port": port, "timeout": 5}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": smtp}}
    yield taken
    controller.stop()


def send_all(as_operator):
    """Send what lies in the outbox, as the worker does."""
    with transaction.atomic(), as_operator():
        while message := outbox.claim(at=timezone.now() + timedelta(seconds=1)):
            outbox.deliver(message, at=timezone.now())


def test_a_person_is_invited_accepts_and_sees_only_what_is_theirs(cast, visit, manner, mailbox, as_operator, settings):
    words = WORDS[manner.language]
    admin = visit(cast.alice, manner.language, js=manner.js)
    admin.goto("/staff/")
    admin.locator("#nav, nav").get_by_role(
        "link", name={"de": "Mitarbeiter", "en": "Staff"}[manner.language]
    ).first.click()
    admin.get_by_role("link", name=words["new"]).first.click()
    admin.get_by_label(words["name"], exact=True).fill("Jürgen Jäger")
    admin.get_by_label(words["email"]).fill("juergen@acme.example")
    admin.locator("#id_language").select_option(manner.language)
    admin.locator("#id_access").select_option("staff")
    admin.get_by_role("button", name=words["create"]).click()
    expect(admin.get_by_text(words["invited"])).to_be_visible()
    admin.locator("#revoke").click()
    expect(admin.locator("form[action$='/revoke/']")).to_be_visible()
    assert not manner.js or faults(admin, "revoking an invitation") == []
    send_all(as_operator)
    [mail] = mailbox
    text = mail.get_body(("plain",)).get_content()
    token = re.search(r"/invitation/([\w-]+)/", text)[1]
    assert mail["To"] == "juergen@acme.example"
    assert token in mail.get_body(("html",)).get_content()

    person = visit(None, manner.language, js=manner.js)
    person.goto(f"/invitation/{token}/")
    expect(person.get_by_role("heading", name=words["link"], level=1)).to_be_visible()
    assert person.url.endswith("/invitation/")
    assert not manner.js or faults(person, "invitation") == []
    person.get_by_label(words["password"]).fill(SECRET)
    person.get_by_label(words["repeat"]).fill(SECRET)
    person.get_by_role("button", name=words["accept"]).click()
    person.wait_for_url("**/accounts/login/")
    person.locator("#id_login").fill("juergen@acme.example")
    person.locator("#id_password").fill(SECRET)
    person.get_by_role("button", name=words["sign in"], exact=True).first.click()
    person.wait_for_url(lambda url: "/accounts/login/" not in url)

    assert person.get_by_role("link", name="Dashboard").count() == 0
    assert person.request.get("/staff/").status == 403
    assert person.request.get("/numbers/").status == 403


def test_the_pages_are_accessible_and_fit(cast, visit, in_acme):
    with in_acme():
        bob = make.member("Bob Brandt", email="bob@acme.example", user=cast.bob, department="Vertrieb Süd-Südost")
        make.member("Hannelore Müller-Lüdenscheid", email="hannelore.mueller-luedenscheid@acme.example")
        otto = make.member("Otto Ohm", state="locked")
    page = visit(cast.alice, "de")

    found = []
    own = (f"{bob.pk}/{act}" for act in ("", "remove/", "role/"))
    for path in ("", "new/", "settings/", *own, f"{otto.pk}/unlock/"):
        page.goto(f"/staff/{path}")
        found += faults(page, path)

    assert found == []


def test_an_act_opens_as_a_dialog(cast, visit, in_acme):
    with in_acme():
        nora = make.member("Nora Nagel", email="nora@acme.example")
    page = visit(cast.alice, "de")
    page.goto(f"/staff/{nora.pk}/")

    page.locator("#invite").click()
    dialog = page.get_by_role("dialog", name="Person einladen")
    dialog.get_by_role("radio").first.check()
    dialog.get_by_role("button", name="Einladung senden").click()

    expect(page.get_by_text("ist unterwegs an nora@acme.example")).to_be_visible()
    expect(page.locator("#revoke")).to_be_visible()
