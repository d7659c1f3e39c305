"""The error page must not fail with what broke: the database may be gone."""

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.urls import include, path

from portal.session_store import SessionStore


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/numbers/", "/accounts/login/", "/"])
def test_a_page_without_a_database_is_calm_and_keeps_people_signed_in(cast, sign_in, monkeypatch, url):
    browser = sign_in(cast.alice, raise_request_exception=False)

    def gone(*_, **__):
        raise OperationalError("the database is gone")

    with monkeypatch.context() as broken:
        broken.setattr(SessionStore, "load", gone)
        answer = browser.get(url)

    assert answer.status_code == 500
    assert "Hier ist etwas schiefgegangen" in answer.content.decode()
    assert answer.headers["X-Request-ID"] in answer.content.decode()
    assert "portal_session" not in answer.cookies
    assert browser.get("/accounts/login/").status_code in (200, 302)
    assert browser.get("/numbers/").status_code == 200


@pytest.mark.django_db
def test_an_address_that_takes_forms_alone_says_so_when_it_is_opened(cast, sign_in):
    browser = sign_in(cast.alice)

    answer = browser.get("/numbers/columns/")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert "Diese Seite lässt sich so nicht öffnen" in answer.content.decode()
    assert browser.delete("/numbers/columns/").content == b""


class Bare:
    """The portal, and an address that refuses without saying what it takes, as a library's may."""

    urlpatterns = (path("bare/", lambda _request: HttpResponse(status=405)), path("", include("portal.urls")))


@pytest.mark.django_db
def test_an_address_that_does_not_say_what_it_takes_shows_the_same_page(cast, sign_in, settings):
    settings.ROOT_URLCONF = Bare

    answer = sign_in(cast.alice).get("/bare/")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "")
    assert "Diese Seite lässt sich so nicht öffnen" in answer.content.decode()
