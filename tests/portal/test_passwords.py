import re
from urllib.parse import urlsplit

import pytest
from django.test import Client

from portal import outbox
from portal.models import OutboxMessage, User
from tests import make
from tests.portal.door import NEW_PASSWORD, login


def test_passwords_are_kept_as_argon2():
    from portal import settings

    assert settings.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]


@pytest.mark.parametrize("password", ["kurz", "elfZeichen1", "1qaz2wsx3edc", "alice@acme.example"])
def test_passwords_that_are_short_common_or_ones_own_address_are_refused(cast, client, password):
    login(client, "alice@acme.example")

    response = client.post(
        "/accounts/password/change/", {"oldpassword": make.PASSWORD, "password1": password, "password2": password}
    )

    assert response.status_code == 200
    assert 'aria-invalid="true"' in response.content.decode()
    cast.alice.refresh_from_db()
    assert cast.alice.check_password(make.PASSWORD)


def change_password(client, new=NEW_PASSWORD, old=make.PASSWORD):
    return client.post("/accounts/password/change/", {"oldpassword": old, "password1": new, "password2": new})


def test_a_long_password_of_any_signs_is_taken(cast, client):
    login(client, "alice@acme.example")
    long = "ü 🚲\t" * 32

    change_password(client, long)

    cast.alice.refresh_from_db()
    assert cast.alice.check_password(long)


def test_changing_the_password_ends_all_other_sessions_tells_and_traces(cast, client, trace, mails):
    elsewhere = Client()
    login(elsewhere, "alice@acme.example")
    login(client, "alice@acme.example")

    change_password(client)

    assert client.get("/profile/").status_code == 200
    assert elsewhere.get("/profile/").url == "/accounts/login/?next=/profile/"
    assert trace()[-1] == ("user.password_changed", "alice@acme.example", "Alice Adler")
    (mail,) = mails()
    assert (mail.to, mail.subject) == (["alice@acme.example"], "Ihr Passwort wurde geändert")


def test_two_different_new_passwords_are_refused_in_formal_german(cast, client):
    login(client, "alice@acme.example")

    data = {"oldpassword": make.PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD + "!"}
    response = client.post("/accounts/password/change/", data)

    assert "Die beiden Passwörter stimmen nicht überein." in response.content.decode()


def reset_link(mail):
    return urlsplit(re.search(r"https?://\S+", mail.body).group()).path


def test_a_password_is_reset_by_a_mail_that_works_once(cast, client, trace, mails):
    elsewhere = Client()
    login(elsewhere, "alice@acme.example")
    client.post("/accounts/password/reset/", {"email": "Alice@acme.example"})
    (mail,) = mails()
    form = client.get(reset_link(mail), follow=True)
    assert reset_link(mail) not in form.request["PATH_INFO"]

    response = client.post(
        form.request["PATH_INFO"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}, follow=True
    )

    assert "Ihr Passwort wurde geändert" in response.content.decode()
    assert client.get("/profile/").status_code == 302  # a reset signs nobody in
    assert elsewhere.get("/profile/").status_code == 302
    assert login(client, "alice@acme.example", NEW_PASSWORD).status_code == 302
    assert ("user.password_reset", "alice@acme.example", "Alice Adler") in trace()
    assert [m.subject for m in mails()] == ["Neues Passwort wählen", "Ihr Passwort wurde geändert"]
    assert "gilt nicht mehr" in Client().get(reset_link(mail), follow=True).content.decode()


def test_a_reset_link_lives_two_hours(cast, client, mails, time_machine):
    time_machine.move_to("2026-11-23 10:00:00+00:00", tick=False)
    client.post("/accounts/password/reset/", {"email": "alice@acme.example"})
    (mail,) = mails()
    assert "23. November 2026 13:00" in mail.body

    time_machine.move_to("2026-11-23 11:59:00+00:00", tick=False)
    assert "gilt nicht mehr" not in Client().get(reset_link(mail), follow=True).content.decode()
    time_machine.move_to("2026-11-23 12:00:02+00:00", tick=False)
    assert "gilt nicht mehr" in Client().get(reset_link(mail), follow=True).content.decode()


def test_an_unknown_address_gets_a_mail_that_says_so_in_the_language_of_the_page(cast, client, mails):
    client.cookies["portal_language"] = "en"

    client.post("/accounts/password/reset/", {"email": "nobody@acme.example"})

    (mail,) = mails()
    assert (mail.to, mail.subject) == (["nobody@acme.example"], "Somebody asked for a new password")


def test_mails_of_accounts_speak_the_persons_language_in_text_and_html(cast, client, mails):
    User.objects.filter(pk=cast.alice.pk).update(language="en")

    client.post("/accounts/password/reset/", {"email": "alice@acme.example"})

    (mail,) = mails()
    assert mail.subject == "Choose a new password"
    assert mail.body.startswith("Good day,\n")
    html = mail.alternatives[0].content
    assert 'lang="en"' in html
    assert reset_link(mail) in html
    assert "<style" not in html


def test_an_account_mail_is_forgotten_once_it_is_sent(cast, client, as_operator, settings):
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    client.post("/accounts/password/reset/", {"email": "alice@acme.example"})
    with as_operator():
        message = OutboxMessage.objects.get()
        assert "password_reset_url" in message.context

        assert outbox.deliver(message, at=message.created_at)

        assert OutboxMessage.objects.get().context == {}


def ask_for_address(client, email="alice.new@acme.example"):
    return client.post("/accounts/email/", {"email": email, "action_add": ""}, follow=True)


def test_an_address_changes_only_by_the_link_in_the_new_mailbox(cast, client, trace, mails):
    login(client, "alice@acme.example")
    ask_for_address(client)
    cast.alice.refresh_from_db()
    assert cast.alice.email == "alice@acme.example"
    (mail,) = mails()
    assert mail.to == ["alice.new@acme.example"]

    page = client.get(reset_link(mail))
    assert "alice.new@acme.example" in page.content.decode()
    client.post(reset_link(mail))

    cast.alice.refresh_from_db()
    assert cast.alice.email == "alice.new@acme.example"
    assert trace()[-1] == ("user.email_changed", "alice.new@acme.example", "Alice Adler")
    assert [m.to for m in mails()] == [["alice.new@acme.example"], ["alice@acme.example"]]
    client.post("/accounts/logout/")
    assert "nicht richtig" in login(client, "alice@acme.example").content.decode()
    assert login(client, "alice.new@acme.example").status_code == 302


def test_a_stranger_with_the_mail_neither_confirms_the_address_nor_resets_the_password(cast, client, mails):
    login(client, "alice@acme.example")
    ask_for_address(client, "stranger@elsewhere.example")
    (mail,) = mails()
    stranger = Client()

    assert stranger.post(reset_link(mail)).url.startswith("/accounts/login/?next=")
    stranger.post("/accounts/password/reset/", {"email": "stranger@elsewhere.example"})

    assert mails()[-1].subject == "Jemand hat ein neues Passwort angefordert"
    cast.alice.refresh_from_db()
    assert cast.alice.email == "alice@acme.example"


def test_somebody_elses_address_can_not_be_taken(cast, client, mails):
    login(client, "alice@acme.example")

    ask_for_address(client, "bob@acme.example")
    (mail,) = mails()

    client.post(reset_link(mail))
    response = client.get("/profile/")

    assert "kann nicht verwendet werden" in response.content.decode()
    cast.alice.refresh_from_db()
    assert cast.alice.email == "alice@acme.example"


def test_a_pending_change_can_be_given_up(cast, client):
    login(client, "alice@acme.example")
    ask_for_address(client)

    client.post("/accounts/email/", {"email": "alice.new@acme.example", "action_remove": ""})

    assert "alice.new@acme.example" not in client.get("/accounts/email/").content.decode()
    cast.alice.refresh_from_db()
    assert cast.alice.email == "alice@acme.example"
