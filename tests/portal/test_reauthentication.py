import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

from portal import access
from portal.models import AuditEvent
from tests import make

START = "2026-11-23 10:00:00+00:00"
done = []


@access.administrator
@access.recently_signed_in
def act(request):
    if request.method == "POST":
        done.append(request.user.email)
    return HttpResponse("the page of the act")


class Urls:
    """The portal, and one act that nothing undoes."""

    urlpatterns = (path("act/", act), path("", include("portal.urls")))


@pytest.fixture(autouse=True)
def clock(time_machine, settings):
    settings.ROOT_URLCONF = Urls
    time_machine.move_to(START, tick=False)
    done.clear()
    return time_machine


@pytest.fixture
def client(cast):
    client = Client()
    client.post("/accounts/login/", {"login": "alice@acme.example", "password": make.PASSWORD})
    client.tenant = {"_tenant": access.tenant_token(cast.acme.pk)}
    return client


def confirm(client, url, password=make.PASSWORD):
    return client.post(url, {"password": password})


def test_whoever_signed_in_within_five_minutes_just_acts(client, clock):
    clock.shift(299)

    assert client.get("/act/").status_code == 200
    client.post("/act/", client.tenant)

    assert done == ["alice@acme.example"]


def test_after_five_minutes_the_page_asks_first_and_comes_back(client, clock):
    clock.shift(300)

    response = client.get("/act/?n=7")
    assert response.url == "/accounts/reauthenticate/?next=/act/%3Fn%3D7"
    response = confirm(client, response.url)

    assert response.url == "/act/?n=7"
    assert client.get("/act/").status_code == 200


def test_what_is_sent_too_late_is_not_done_and_leads_back_to_its_page(client, clock):
    clock.shift(300)

    response = client.post("/act/", client.tenant, headers={"referer": "http://testserver/act/?n=7"})
    assert response.url == "/accounts/reauthenticate/?next=/act/%3Fn%3D7"
    page = client.get(response.url).content.decode()
    assert "Es wurde noch nichts geändert" in page
    response = confirm(client, response.url)

    assert (response.status_code, response.url) == (302, "/act/?n=7")
    assert done == []


@pytest.mark.parametrize("referer", ["", "https://evil.example/act/", "http://testserver.evil.example/", "nonsense"])
def test_a_page_of_elsewhere_is_not_led_back_to(client, clock, referer):
    clock.shift(300)

    response = client.post("/act/", client.tenant, headers={"referer": referer})

    assert response.url == "/accounts/reauthenticate/?next=/"


def test_an_htmx_request_leaves_the_page_and_comes_back_to_it(client, clock):
    clock.shift(300)
    htmx = {"HX-Request": "true", "HX-Current-URL": "http://testserver/profile/?a=1"}

    response = client.post("/act/", client.tenant, headers=htmx)

    assert response.status_code == 200
    assert response.headers["HX-Redirect"] == "/accounts/reauthenticate/?next=/profile/%3Fa%3D1"
    assert response.content == b""
    assert done == []


def test_a_wrong_password_confirms_nothing_and_is_traced(client, clock, as_operator):
    clock.shift(300)

    response = confirm(client, "/accounts/reauthenticate/?next=/act/", "falsch")

    assert "nicht richtig" in response.content.decode()
    assert client.get("/act/").status_code == 302
    with as_operator():
        assert AuditEvent.objects.latest("id").verb == "user.sign_in_failed"


def test_confirming_gives_the_session_a_new_key_and_keeps_its_place_in_the_list(client, clock, as_operator):
    clock.shift(300)
    before = client.session.session_key

    confirm(client, "/accounts/reauthenticate/?next=/act/")

    assert client.session.session_key != before
    assert not client.session.exists(before)
    (session,) = client.get("/accounts/sessions/").context["sessions"]
    assert session.session_key == client.session.session_key
    with as_operator():
        assert AuditEvent.objects.latest("id").verb == "user.reauthenticated"


def test_confirming_never_leads_elsewhere(client, clock):
    clock.shift(300)

    assert confirm(client, "/accounts/reauthenticate/?next=https://evil.example/").url == "/"


def test_the_role_comes_first(cast, clock):
    staff = Client()
    staff.post("/accounts/login/", {"login": "bob@acme.example", "password": make.PASSWORD})
    clock.shift(300)

    assert staff.get("/act/").status_code == 403
    assert Client().get("/act/").url == "/accounts/login/?next=/act/"


@pytest.mark.parametrize(
    "page",
    [
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/2fa/recovery-codes/generate/",
    ],
)
def test_second_factors_are_changed_by_whoever_confirmed_lately(client, clock, page):
    assert client.get(page).status_code != 403
    clock.shift(300)

    assert client.get(page).url == f"/accounts/reauthenticate/?next={page.replace('/', '%2F')}"
    assert client.post(page, {}).status_code == 302


def test_the_address_is_changed_by_whoever_confirmed_lately(client, clock, cast):
    clock.shift(300)

    response = client.post("/accounts/email/", {"email": "alice.new@acme.example", "action_add": ""})

    assert response.url.startswith("/accounts/reauthenticate/")
    assert "alice.new@acme.example" not in client.get("/accounts/email/").content.decode()


def test_confirming_is_limited_too(client, clock):
    clock.shift(300)
    for _ in range(5):
        confirm(client, "/accounts/reauthenticate/", "falsch")

    response = confirm(client, "/accounts/reauthenticate/")

    assert "Zu viele Fehlversuche" in response.content.decode()


def test_too_many_requests_get_a_calm_page(client, clock):
    clock.shift(300)
    for _ in range(10):
        confirm(client, "/accounts/reauthenticate/", "falsch")

    response = confirm(client, "/accounts/reauthenticate/")

    assert response.status_code == 429
    assert "Bitte warten Sie einige Minuten" in response.content.decode()
