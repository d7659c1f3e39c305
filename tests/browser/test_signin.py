"""The door, with the keyboard alone, with an authenticator app, and with a passkey."""

import time
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import expect

from tests import make
from tests.browser.conftest import Manner
from tests.browser.looks import faults, overflow

WORDS = {
    "de": {"profile": "Profil und Sicherheit", "code": "Code", "confirm": "Anmelden", "wrong": "nicht richtig"},
    "en": {"profile": "Profile and security", "code": "Code", "confirm": "Sign in", "wrong": "not correct"},
}
SIGNED_OUT = ("login/", "login/?next=/profile/", "signup/", "password/reset/", "password/reset/done/", "inactive/")
SIGNED_IN = (
    *("email/", "password/change/", "sessions/", "logout/", "reauthenticate/", "2fa/", "2fa/reauthenticate/"),
    *("2fa/totp/deactivate/", "2fa/recovery-codes/", "2fa/recovery-codes/generate/"),
    "2fa/webauthn/",
)


def code(secret):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def arrive(page, path):
    """Wait until the browser is there, even if this is the first message of the process: that wakes the worker."""
    page.wait_for_url(lambda url: urlsplit(url).path.endswith(f"/{path}"), timeout=20_000)


def sign_in_by_keyboard(page, email, password=make.PASSWORD):
    page.goto("/accounts/login/?next=/profile/")
    expect(page.locator("#id_login")).to_be_focused()
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def test_people_sign_in_with_the_keyboard_alone(cast, visit, manner):
    page, words = visit(language=manner.language, js=manner.js), WORDS[manner.language]

    sign_in_by_keyboard(page, "alice@acme.example", "falsch")
    expect(page.get_by_role("alert")).to_contain_text(words["wrong"])
    sign_in_by_keyboard(page, "alice@acme.example")

    expect(page.get_by_role("heading", level=1)).to_have_text(words["profile"])
    assert page.url.endswith("/profile/")


@pytest.mark.parametrize("manner", [Manner("de", js=True), Manner("en", js=False)], ids=str)
def test_people_set_up_the_app_and_sign_in_with_its_code(cast, visit, manner):
    page, words = visit(language=manner.language, js=manner.js), WORDS[manner.language]
    sign_in_by_keyboard(page, "alice@acme.example")
    arrive(page, "profile/")
    page.goto("/accounts/2fa/")
    page.locator("a[href='/accounts/2fa/totp/activate/']").click()
    assert page.locator("img[src^='data:image/svg']").evaluate("image => image.naturalWidth") > 100
    secret = page.locator("#totp-secret").inner_text()

    page.get_by_label(words["code"]).fill(code(secret))
    page.keyboard.press("Enter")
    arrive(page, "recovery-codes/")
    recovery = page.locator("#recovery-codes").inner_text().split()
    page.context.clear_cookies(name="portal_session")
    sign_in_by_keyboard(page, "alice@acme.example")
    expect(page.locator("#id_code")).to_be_focused()
    page.keyboard.type(recovery[0])
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text(words["profile"])
    assert len(recovery) == 10


@pytest.fixture
def authenticator():
    """Return a function that gives a page's browser a built-in passkey device whose owner always agrees."""

    def _plug_in(page):
        cdp = page.context.new_cdp_session(page)
        cdp.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        agree = {"isUserVerified": True, "automaticPresenceSimulation": True}
        device = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options | agree})["authenticatorId"]
        return lambda: cdp.send("WebAuthn.clearCredentials", {"authenticatorId": device})

    return _plug_in


@pytest.mark.parametrize("language", ["de", "en"])
def test_people_add_a_passkey_and_sign_in_with_it_alone(cast, visit, served, authenticator, language):
    # Browsers make passkeys for names only, not for addresses.
    page = visit(language=language, base_url=served.replace("127.0.0.1", "localhost"))
    forget = authenticator(page)
    sign_in_by_keyboard(page, "alice@acme.example")
    arrive(page, "profile/")
    page.goto("/accounts/2fa/webauthn/add/")
    page.locator("#id_name").fill("Laptop")

    page.locator("#passkey-button").click()
    arrive(page, "recovery-codes/")
    assert Authenticator.objects.get(type="webauthn").wrap().is_passwordless
    page.goto("/accounts/2fa/webauthn/")
    expect(page.get_by_role("main")).to_contain_text("Laptop")
    page.context.clear_cookies(name="portal_session")
    page.goto("/accounts/login/?next=/profile/")
    page.locator("#passkey-button").focus()
    page.keyboard.press("Enter")

    arrive(page, "profile/")
    page.goto("/accounts/2fa/webauthn/reauthenticate/?next=/profile/")
    assert faults(page, "webauthn/reauthenticate/") == []
    page.locator("#passkey-button").click()
    arrive(page, "profile/")
    page.context.clear_cookies(name="portal_session")
    sign_in_by_keyboard(page, "alice@acme.example")
    arrive(page, "authenticate/")
    page.locator("#passkey-button").click()
    arrive(page, "profile/")

    forget()
    page.context.clear_cookies(name="portal_session")
    page.goto("/accounts/login/")
    page.locator("#passkey-button").click()
    expect(page.locator("[data-passkey-error]")).to_be_focused()


def test_without_javascript_passkeys_are_not_offered(cast, visit):
    page = visit(js=False)

    page.goto("/accounts/login/")

    expect(page.locator("#passkey-button")).to_be_hidden()
    expect(page.locator("#id_login")).to_be_visible()


def test_the_pages_at_the_door_are_fit_to_be_seen(cast, visit):
    german, english = visit(), visit(language="en")
    found = []

    for path in SIGNED_OUT:
        german.goto(f"/accounts/{path}")
        english.goto(f"/accounts/{path}")
        found += faults(german, path) + overflow(english, f"{path} in English")

    assert found == []


def test_the_pages_of_an_account_are_fit_to_be_seen(cast, visit):
    page = visit(cast.alice)
    page.goto("/accounts/2fa/webauthn/add/")
    found = faults(page, "webauthn/add/")
    page.goto("/accounts/2fa/totp/activate/")
    found += faults(page, "totp/activate/")
    page.locator("#id_code").fill(code(page.locator("#totp-secret").inner_text()))
    page.keyboard.press("Enter")
    arrive(page, "recovery-codes/")
    data = {"name": "Laptop", "credential": {"clientExtensionResults": {"credProps": {"rk": True}}}}
    key = Authenticator.objects.create(user=cast.alice, type="webauthn", data=data)
    keys = f"accounts/2fa/webauthn/keys/{key.pk}"

    for path in ("profile/", *(f"accounts/{path}" for path in SIGNED_IN), f"{keys}/edit/", f"{keys}/remove/"):
        page.goto(f"/{path}")
        found += faults(page, path)

    assert found == []
