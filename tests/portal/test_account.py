import pytest

from portal import access
from portal.models import User


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example", ""]
)
@pytest.mark.parametrize(("page", "data"), [("/language/", {"language": "en"}), ("/theme/", {"theme": "dark"})])
def test_the_way_back_never_leads_elsewhere(cast, sign_in, page, data, target):
    response = sign_in(cast.alice).post(page, data | {"next": target})

    assert response.url == "/"


@pytest.mark.parametrize(("page", "data"), [("/language/", {"language": "en"}), ("/theme/", {"theme": "dark"})])
def test_a_choice_leads_back_to_its_page(cast, sign_in, page, data):
    assert sign_in(cast.alice).post(page, data | {"next": "/profile/?a=1"}).url == "/profile/?a=1"


def test_the_language_is_remembered_with_the_person_and_on_the_device(cast, sign_in):
    client = sign_in(cast.alice)

    client.post("/language/", {"language": "en"})

    cast.alice.refresh_from_db()
    assert cast.alice.language == "en"
    assert 'lang="en"' in client.get("/profile/").content.decode()


def test_the_language_is_chosen_before_sign_in_too(client, db):
    client.post("/language/", {"language": "en", "next": "/accounts/login/"})

    assert 'lang="en"' in client.get("/accounts/login/").content.decode()
    cookie = client.cookies["portal_language"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_the_appearance_is_remembered_with_the_person(cast, sign_in):
    client = sign_in(cast.alice)

    client.post("/theme/", {"theme": "dark"})

    assert User.objects.get(pk=cast.alice.pk).theme == "dark"
    assert 'data-theme="dark"' in client.get("/profile/").content.decode()


@pytest.mark.parametrize(("page", "data"), [("/language/", {"language": "xx"}), ("/theme/", {"theme": "pink"})])
def test_an_unknown_choice_changes_nothing(cast, sign_in, page, data):
    assert sign_in(cast.alice).post(page, data).status_code == 400

    cast.alice.refresh_from_db()
    assert (cast.alice.language, cast.alice.theme) == ("de", "auto")


@pytest.mark.parametrize("page", ["/language/", "/theme/", "/switch-tenant/"])
def test_choices_need_a_post(cast, sign_in, page):
    assert sign_in(cast.alice).get(page).status_code == 405


def switch(client, cast, tenant_id):
    return client.post("/switch-tenant/", {"tenant": tenant_id, "_tenant": access.tenant_token(cast.acme.pk)})


@pytest.mark.parametrize("wanted", ["globex", 0, -1, "x", "", 10**20])
def test_a_tenant_one_does_not_belong_to_does_not_exist(cast, sign_in, wanted):
    client = sign_in(cast.alice)

    response = switch(client, cast, cast.globex.pk if wanted == "globex" else wanted)

    assert response.status_code == 404
    assert "Globex" not in response.content.decode()
    assert client.get("/profile/").wsgi_request.membership.tenant_id == cast.acme.pk


def test_switching_the_tenant_shows_the_other_one(cast, sign_in):
    client = sign_in(cast.erika)

    assert switch(client, cast, cast.globex.pk).url == "/"

    assert client.get("/profile/").wsgi_request.membership.tenant_id == cast.globex.pk


def test_a_form_of_another_tenant_switches_nothing(cast, sign_in):
    client = sign_in(cast.erika)
    switch(client, cast, cast.globex.pk)

    response = switch(client, cast, cast.acme.pk)

    assert response.status_code == 409
    assert client.get("/profile/").wsgi_request.membership.tenant_id == cast.globex.pk


@pytest.mark.parametrize("who", ["alice", "bob", "dora"])
def test_everybody_of_a_tenant_sees_their_own_profile(cast, sign_in, who):
    text = sign_in(getattr(cast, who)).get("/profile/").content.decode()

    for page in ("/accounts/password/change/", "/accounts/2fa/", "/accounts/sessions/", "/accounts/email/"):
        assert f'href="{page}"' in text
