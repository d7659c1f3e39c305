import re
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import include, path

from portal import outbox
from portal.models import AuditEvent, OutboxMessage
from tests import make

START = "2026-11-23 10:00:00+00:00"
FORGED = ("", "{}", "[]", "3", '{"id": "x", "response": {"userHandle": "MQ"}}', '{"response": 3}')
CONSOLE = [path("", lambda request: HttpResponse("console"), name="index")]


class OperatorUrls:
    """The operator's console without Django's admin, which the tests' process has not installed."""

    urlpatterns = (
        path("accounts/", include("portal.signin_urls")),
        path("console/", include((CONSOLE, "admin"))),
    )


@pytest.fixture
def operator_process(settings, as_operator):
    """Answer requests as the operator's process does: its middleware, cookies and way in."""
    tenant, operator = "portal.middleware.TenantMiddleware", "portal.middleware.OperatorMiddleware"
    settings.MIDDLEWARE = [operator if name == tenant else name for name in settings.MIDDLEWARE]
    settings.PROCESS = "operator"
    settings.ROOT_URLCONF = OperatorUrls
    settings.LOGIN_REDIRECT_URL = "admin:index"
    settings.SESSION_COOKIE_NAME = "operator_session"
    with as_operator():
        yield


@pytest.fixture(autouse=True)
def clock(time_machine):
    time_machine.move_to(START, tick=False)
    return time_machine


def login(user, client=None):
    client = client or Client()
    response = client.post("/accounts/login/", {"login": user.email, "password": make.PASSWORD})
    return SimpleNamespace(client=client, response=response)


def code(secret, clock_seconds=None):
    import time

    return format_hotp_value(hotp_value(secret, int(time.time() if clock_seconds is None else clock_seconds) // 30))


def set_up_app(client):
    """Set up the authenticator app and return its secret; the code used for it is spent."""
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'id="totp-secret">([A-Z2-7]+)<', page).group(1)
    response = client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    assert response.url == "/accounts/2fa/recovery-codes/"
    return secret


def recovery_codes(client):
    return client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]


@pytest.fixture
def verbs(as_operator):
    def _verbs():
        with as_operator():
            return list(AuditEvent.objects.order_by("id").values_list("verb", flat=True))

    return _verbs


def test_the_app_is_set_up_by_a_picture_and_its_code_and_gives_recovery_codes(
    cast, verbs, as_operator, django_capture_on_commit_callbacks
):
    client = login(cast.alice).client
    page = client.get("/accounts/2fa/totp/activate/")
    assert 'src="data:image/svg+xml;base64,' in page.content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        set_up_app(client)

    assert len(recovery_codes(client)) == 10
    assert verbs()[-2:] == ["user.second_factor_added", "user.second_factor_added"]
    with as_operator():
        mail = outbox.compose(OutboxMessage.objects.latest("id"))
    assert (mail.to, mail.subject) == (["alice@acme.example"], "Authenticator-App eingerichtet")


def test_a_wrong_code_sets_nothing_up(cast):
    client = login(cast.alice).client
    client.get("/accounts/2fa/totp/activate/")

    response = client.post("/accounts/2fa/totp/activate/", {"code": "000000"})

    assert "nicht richtig" in response.content.decode()
    assert not Authenticator.objects.exists()


def test_secrets_of_second_factors_are_kept_encrypted(cast):
    client = login(cast.alice).client

    secret = set_up_app(client)

    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in kept
    assert "gAAAAA" in kept
    for unused in recovery_codes(client):
        assert unused not in kept


def test_with_a_second_factor_the_password_alone_opens_nothing(cast, clock):
    secret = set_up_app(login(cast.alice).client)
    clock.shift(120)
    attempt = login(cast.alice)

    assert attempt.response.url == "/accounts/2fa/authenticate/"
    assert attempt.client.get("/profile/").status_code == 302
    key = attempt.client.session.session_key
    response = attempt.client.post("/accounts/2fa/authenticate/", {"code": code(secret)})

    assert response.url == "/"
    assert attempt.client.get("/profile/").status_code == 200
    assert attempt.client.session.session_key != key


def test_a_code_counts_once_even_while_it_is_still_valid(cast, clock):
    secret = set_up_app(login(cast.alice).client)
    clock.shift(120)
    used = code(secret)
    assert login(cast.alice).client.post("/accounts/2fa/authenticate/", {"code": used}).status_code == 302

    for seconds in (1, 34):  # the second time in the next step, where a clock that is off would still accept it
        clock.shift(seconds)
        response = login(cast.alice).client.post("/accounts/2fa/authenticate/", {"code": used})
        assert "nicht richtig, oder" in response.content.decode() or "schon verwendet" in response.content.decode()


def test_a_phone_half_a_minute_behind_is_accepted(cast, clock):
    import time

    secret = set_up_app(login(cast.alice).client)
    clock.shift(120)

    response = login(cast.alice).client.post("/accounts/2fa/authenticate/", {"code": code(secret, time.time() - 30)})

    assert response.status_code == 302


def test_a_recovery_code_signs_in_once(cast, clock):
    client = login(cast.alice).client
    set_up_app(client)
    first = recovery_codes(client)[0]

    assert login(cast.alice).client.post("/accounts/2fa/authenticate/", {"code": first}).status_code == 302
    response = login(cast.alice).client.post("/accounts/2fa/authenticate/", {"code": first})

    assert "schon verwendet" in response.content.decode()
    assert first not in recovery_codes(client)
    assert len(recovery_codes(client)) == 9


def test_the_sixth_wrong_code_is_refused_whoever_tries(cast, clock, verbs):
    secret = set_up_app(login(cast.alice).client)
    clock.shift(120)
    attempt = login(cast.alice).client
    for _ in range(5):
        attempt.post("/accounts/2fa/authenticate/", {"code": "000000"})

    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    login(cast.alice, elsewhere)
    response = elsewhere.post("/accounts/2fa/authenticate/", {"code": code(secret)})

    assert "Zu viele Fehlversuche" in response.content.decode()
    assert verbs().count("user.second_factor_failed") == 5


def test_a_password_reset_does_not_skip_the_second_factor(cast, as_operator):
    set_up_app(login(cast.alice).client)
    client = Client()
    client.post("/accounts/password/reset/", {"email": "alice@acme.example"})
    with as_operator():
        link = OutboxMessage.objects.latest("id").context["password_reset_url"].partition("testserver")[2]
    form = client.get(link, follow=True).request["PATH_INFO"]
    new = "drei gelbe Fahrräder im Regen"
    client.post(form, {"password1": new, "password2": new})

    response = client.post("/accounts/login/", {"login": "alice@acme.example", "password": new})

    assert response.url == "/accounts/2fa/authenticate/"


def test_recovery_codes_are_downloaded_as_text_and_made_anew(cast, clock):
    client = login(cast.alice).client
    set_up_app(client)
    before = recovery_codes(client)

    download = client.get("/accounts/2fa/recovery-codes/download/")
    assert download.content.decode().split() == before
    assert "attachment" in download.headers["Content-Disposition"]
    client.post("/accounts/2fa/recovery-codes/generate/")

    assert set(recovery_codes(client)).isdisjoint(before)


def test_removing_the_app_removes_its_recovery_codes_and_tells(cast, verbs, as_operator):
    client = login(cast.alice).client
    set_up_app(client)

    client.post("/accounts/2fa/totp/deactivate/")

    assert not Authenticator.objects.exists()
    assert "user.second_factor_removed" in verbs()
    with as_operator():
        assert OutboxMessage.objects.latest("id").template == "account/totp_deactivated"


def test_an_address_changes_with_a_second_factor_set_up_too(cast):
    client = login(cast.alice).client
    set_up_app(client)

    response = client.post("/accounts/email/", {"email": "alice.new@acme.example", "action_add": ""}, follow=True)

    assert "alice.new@acme.example" in response.content.decode()


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_page_about_the_second_factor_is_drawn_in_both_languages(cast, language):
    client = login(cast.alice).client
    client.post("/language/", {"language": language})
    set_up_app(client)
    key = Authenticator.objects.create(
        user=cast.alice, type="webauthn", data={"name": "Laptop", "credential": {"clientExtensionResults": {}}}
    )
    pages = ["", "totp/deactivate/", "recovery-codes/", "recovery-codes/generate/"]
    pages += ["webauthn/", f"webauthn/keys/{key.pk}/edit/", f"webauthn/keys/{key.pk}/remove/", "reauthenticate/"]

    for page in pages:
        text = client.get(f"/accounts/2fa/{page}").content.decode()
        assert f'lang="{language}"' in text, page
        assert ("Abbrechen" in text or "Fertig" in text or "Passkey" in text) or language == "en", page
        assert "style=" not in text, page


def test_adding_a_passkey_asks_the_browser_with_data_that_no_script_carries(cast):
    client = login(cast.alice).client

    text = client.get("/accounts/2fa/webauthn/add/").content.decode()

    assert '<script id="passkey-options" type="application/json">' in text
    inline = [tag for tag in re.findall(r"<script[^>]*>", text) if "src=" not in tag]
    assert inline == ['<script id="passkey-options" type="application/json">']


def test_a_forged_passkey_signs_nobody_in(cast, verbs):
    client = Client()
    client.get("/accounts/2fa/webauthn/login/", headers={"accept": "application/json"})

    for credential in FORGED:
        response = client.post("/accounts/2fa/webauthn/login/", {"credential": credential})
        assert response.url == "/accounts/login/", credential

    assert client.get("/profile/").status_code == 302
    assert "nicht bekannt" in client.get("/accounts/login/").content.decode()
    assert set(verbs()) == {"user.sign_in_failed"}


def test_a_forged_passkey_is_not_added(cast):
    client = login(cast.alice).client

    for credential in FORGED:
        client.get("/accounts/2fa/webauthn/add/")
        response = client.post("/accounts/2fa/webauthn/add/", {"credential": credential, "name": "x"})
        assert response.status_code == 200, credential

    assert not Authenticator.objects.exists()


# The operator's console.


def test_an_operator_without_a_second_factor_gets_no_further_than_setting_one_up(cast, operator_process):
    client = login(cast.olga).client

    assert client.get("/console/").url == "/accounts/2fa/"
    page = client.get("/accounts/2fa/")
    assert "verlangt einen zweiten Faktor" in page.content.decode()
    set_up_app(client)

    assert client.get("/console/").content == b"console"


def test_in_the_demo_an_operator_gets_in_and_every_page_says_so(cast, operator_process):
    with override_settings(OPERATOR_SECOND_FACTOR=False):
        assert "Vorführung: Diese Konsole lässt Sie ohne zweiten Faktor hinein." in str(
            Client().get("/accounts/login/").content.decode()
        )
        assert login(cast.olga).client.get("/console/").content == b"console"


def test_a_customers_account_does_not_get_into_the_console(cast, operator_process, verbs):
    attempt = login(cast.alice)

    assert attempt.response.url == "/accounts/login/"
    assert "keinen Zugang" in attempt.client.get("/accounts/login/").content.decode()
    assert attempt.client.get("/console/").url == "/accounts/login/?next=/console/"
    assert "_auth_user_id" not in attempt.client.session
    assert verbs() == ["user.sign_in_refused"]


def test_a_customers_session_is_none_in_the_console(cast, operator_process):
    client = Client()
    client.force_login(cast.alice)

    assert client.get("/console/").url == "/accounts/login/"
    assert "_auth_user_id" not in client.session


def test_an_operator_who_is_one_no_more_is_out_at_once(cast, operator_process):
    client = login(cast.olga).client
    set_up_app(client)
    assert client.get("/console/").content == b"console"

    type(cast.olga).objects.filter(pk=cast.olga.pk).update(is_operator=False)

    assert client.get("/console/").url == "/accounts/login/"


def test_the_operators_pages_are_never_stored(cast, operator_process):
    client = login(cast.olga).client
    set_up_app(client)

    assert client.get("/console/").headers["Cache-Control"] == "no-store"


def test_pages_of_accounts_are_drawn_in_the_console_too(cast, operator_process):
    client = login(cast.olga).client

    for page in ("2fa/", "sessions/", "email/", "password/change/", "2fa/totp/activate/", "2fa/webauthn/add/"):
        assert client.get(f"/accounts/{page}").status_code == 200, page


def test_an_operator_has_no_company_in_the_customers_portal(cast):
    response = login(cast.olga).client.get("/")

    assert response.status_code == 403
    assert "gehören hier zu keinem Unternehmen" in response.content.decode()


def test_only_the_demo_lets_operators_in_without_a_second_factor():
    from django.conf import settings

    assert settings.DEMO is False
    assert settings.OPERATOR_SECOND_FACTOR is True
