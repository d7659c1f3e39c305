import re
import statistics
import threading
import time

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import override_settings
from django.urls import NoReverseMatch, get_resolver, reverse

from portal import tasks
from portal.models import AuditEvent, User
from tests import make
from tests.portal.door import LOGIN, NEW_PASSWORD, login


def test_sign_in_leads_to_the_page_of_the_role_and_leaves_a_trace(cast, client, trace):
    response = login(client, "Alice@Acme.example ")

    assert (response.status_code, response.url) == (302, "/")
    assert client.get("/profile/").status_code == 200
    assert trace() == [("user.signed_in", "alice@acme.example", "Alice Adler")]


def test_sign_in_goes_back_where_somebody_wanted_to_go_but_never_elsewhere(cast, client):
    assert login(client, "alice@acme.example", next="/profile/").url == "/profile/"
    client.post("/accounts/logout/")

    assert login(client, "alice@acme.example", next="https://evil.example/").url == "/"


def test_sign_in_gives_the_session_a_new_key(cast, client):
    client.get("/theme/")
    session = client.session
    session["planted"] = 1
    session.save()
    client.cookies["portal_session"] = session.session_key

    login(client, "alice@acme.example")

    assert client.session.session_key != session.session_key
    assert len(client.session.session_key) >= 32


def test_signing_out_needs_a_post_ends_the_session_and_leaves_a_trace(cast, client, trace):
    login(client, "alice@acme.example")
    key = client.session.session_key

    assert client.get("/accounts/logout/").status_code == 200
    assert client.get("/profile/").status_code == 200
    client.post("/accounts/logout/")

    assert not client.session.exists(key)
    assert client.get("/profile/").url == "/accounts/login/?next=/profile/"
    assert trace()[-1] == ("user.signed_out", "alice@acme.example", "Alice Adler")


def test_a_wrong_password_is_traced_with_the_address_and_without_the_password(cast, client, trace, as_operator):
    response = login(client, "alice@acme.example", "geheimes-falsches-Passwort")

    assert response.status_code == 200
    assert "nicht richtig" in response.content.decode()
    assert trace() == [("user.sign_in_failed", "alice@acme.example", "unknown")]
    with as_operator():
        event = AuditEvent.objects.get()
    assert (event.object_id, event.actor_id, event.after) == (cast.alice.pk, None, {"address": "127.0.0.1"})


def test_a_wrong_password_appears_in_no_log(cast, client, caplog, capfd):
    caplog.set_level("DEBUG")

    login(client, "alice@acme.example", "geheimes-falsches-Passwort")
    login(client, "alice@acme.example")

    seen = caplog.text + "".join(capfd.readouterr())
    assert "geheimes-falsches-Passwort" not in seen
    assert make.PASSWORD not in seen


def test_the_sixth_wrong_password_is_not_even_tried_and_the_limit_survives_in_the_database(cast, client, trace):
    for _ in range(5):
        assert "nicht richtig" in login(client, "alice@acme.example", "falsch").content.decode()

    response = login(Client(REMOTE_ADDR="198.51.100.7"), "alice@acme.example")

    assert "Zu viele Fehlversuche" in response.content.decode()
    assert not response.wsgi_request.user.is_authenticated
    assert trace()[-1] == ("user.sign_in_limited", "alice@acme.example", "unknown")
    assert "DatabaseCache" in type(cache._connections[cache._alias]).__name__
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM portal_cache WHERE cache_key LIKE '%login_failed%'")
        assert cursor.fetchone()[0] >= 1


def test_after_five_minutes_the_right_password_is_taken_again(cast, client, time_machine):
    time_machine.move_to("2026-11-23 10:00:00+00:00", tick=False)
    for _ in range(6):
        login(client, "alice@acme.example", "falsch")

    time_machine.move_to("2026-11-23 10:05:01+00:00", tick=False)

    assert login(client, "alice@acme.example").status_code == 302


def test_counted_attempts_are_forgotten_when_they_count_no_more(cast, client, time_machine, as_operator):
    time_machine.move_to("2026-11-23 10:00:00+00:00", tick=False)
    login(client, "alice@acme.example", "falsch")
    time_machine.move_to("2026-11-23 10:06:00+00:00", tick=False)
    login(client, "bob@acme.example", "falsch")

    with as_operator(), connection.cursor() as cursor:
        tasks.clean_up()
        cursor.execute("SELECT count(*) FROM portal_cache WHERE expires < '2026-11-23 10:06:00+00'")
        assert cursor.fetchone()[0] == 0
        cursor.execute("SELECT count(*) FROM portal_cache")
        assert cursor.fetchone()[0] > 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.serial
def test_passwords_tried_all_at_once_are_counted_one_by_one(cast, scale, monkeypatch):
    tried = []
    check = User.check_password
    monkeypatch.setattr(User, "check_password", lambda self, raw: tried.append(raw) or check(self, raw))

    def guess(number):
        login(Client(REMOTE_ADDR=f"198.51.100.{number}"), "alice@acme.example", f"falsch-{number}")
        connection.close()

    guesses = [threading.Thread(target=guess, args=(number,)) for number in range(20)]
    for thread in guesses:
        thread.start()
    for thread in guesses:
        thread.join()

    assert 1 <= len(tried) <= 5


def test_one_address_may_not_try_many_accounts(cast, client):
    answers = [login(client, f"somebody-{n}@acme.example", "falsch").content.decode() for n in range(11)]

    assert "nicht richtig" in answers[9]
    assert "Zu viele Fehlversuche" in answers[10]


def _plain(response):
    """Return a page without what differs in any two answers: tokens and the address that was typed."""
    text = response.content.decode()
    text = re.sub(r'(value|content)="[A-Za-z0-9]{64}"', "", text)
    return re.sub(r"[a-z]+@acme\.example", "ADDRESS", text)


def test_an_unknown_address_gets_the_same_page_at_sign_in_and_reset(cast):
    known, unknown = Client(), Client()

    assert _plain(login(known, "alice@acme.example", "falsch")) == _plain(
        login(unknown, "nobody@acme.example", "falsch")
    )
    known_reset = known.post("/accounts/password/reset/", {"email": "alice@acme.example"}, follow=True)
    unknown_reset = unknown.post("/accounts/password/reset/", {"email": "nobody@acme.example"}, follow=True)

    assert known_reset.redirect_chain == unknown_reset.redirect_chain == [("/accounts/password/reset/done/", 302)]
    assert _plain(known_reset) == _plain(unknown_reset)


@pytest.mark.serial
def test_an_unknown_address_takes_as_long_as_a_known_one(cast, scale):
    hashers = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    with override_settings(ACCOUNT_RATE_LIMITS=False, PASSWORD_HASHERS=hashers):
        cast.alice.set_password(NEW_PASSWORD)
        cast.alice.save()
        taken = {"alice@acme.example": [], "nobody@acme.example": []}
        for _ in range(scale(100)):
            for email, times in taken.items():
                begin = time.process_time()
                login(Client(), email, "falsch")
                times.append(time.process_time() - begin)

    known, unknown = (statistics.median(times) for times in taken.values())
    assert abs(known - unknown) / known < 0.1, (known, unknown)


def test_a_locked_account_is_told_so_only_with_the_right_password(cast, client, trace):
    User.objects.filter(pk=cast.bob.pk).update(is_active=False)

    assert "nicht richtig" in login(client, "bob@acme.example", "falsch").content.decode()
    response = login(client, "bob@acme.example")

    assert response.url == "/accounts/inactive/"
    assert "gesperrt" in client.get(response.url).content.decode()
    assert trace()[-1] == ("user.sign_in_refused", "bob@acme.example", "Bob Brandt")


def test_locking_an_account_ends_its_sessions_at_once(cast, client):
    login(client, "bob@acme.example")
    assert client.get("/profile/").status_code == 200

    User.objects.filter(pk=cast.bob.pk).update(is_active=False)

    assert client.get("/profile/").url == "/accounts/login/?next=/profile/"


def test_nobody_signs_up_by_themselves(cast, client):
    assert "Einladung" in client.get("/accounts/signup/").content.decode()
    client.post("/accounts/signup/", {"email": "mallory@evil.example", "password1": NEW_PASSWORD})

    assert not User.objects.filter(email="mallory@evil.example").exists()


def test_the_pages_at_the_door_are_these_and_no_others():
    names = {name for name in get_resolver("portal.signin_urls").reverse_dict if isinstance(name, str)}

    assert names == {
        *("account_login", "account_logout", "account_inactive", "account_signup", "account_reauthenticate"),
        *("account_email", "account_confirm_email", "account_change_password", "account_set_password"),
        *("account_reset_password", "account_reset_password_done", "account_reset_password_from_key"),
        *("account_reset_password_from_key_done", "mfa_index", "mfa_authenticate", "mfa_reauthenticate"),
        *("mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"),
        *("mfa_download_recovery_codes", "mfa_list_webauthn", "mfa_add_webauthn", "mfa_reauthenticate_webauthn"),
        *("mfa_remove_webauthn", "mfa_edit_webauthn", "mfa_login_webauthn", "usersessions_list", "usersessions_end"),
    }
    with pytest.raises(NoReverseMatch):
        reverse("socialaccount_connections")


@pytest.mark.parametrize("page", [LOGIN, "/accounts/signup/", "/accounts/password/reset/", "/accounts/inactive/"])
@pytest.mark.parametrize("language", ["de", "en"])
def test_pages_at_the_door_speak_one_language_and_run_no_inline_script(cast, client, page, language):
    client.cookies["portal_language"] = language

    response = client.get(page)

    text = response.content.decode()
    assert f'lang="{language}"' in text
    assert ("Anmelden" in text or "Zur Anmeldung" in text) == (language == "de")
    assert [tag for tag in re.findall(r"<script[^>]*>", text) if "src=" not in tag] == []
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert "style=" not in text


def test_sign_in_shows_the_portal_in_the_persons_language_unless_another_was_chosen_here(cast, client):
    User.objects.filter(pk=cast.alice.pk).update(language="en")

    login(client, "alice@acme.example")
    assert 'lang="en"' in client.get("/profile/").content.decode()
    client.post("/accounts/logout/")
    client.post("/language/", {"language": "de"})
    login(client, "alice@acme.example")

    assert 'lang="de"' in client.get("/profile/").content.decode()
