from pathlib import Path

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from portal.models import AuditEvent, Membership, User
from tests import make

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Safari/604.1"
START = "2026-11-23 10:00:00+00:00"


def signed_in(user, user_agent=CHROME):
    client = Client(headers={"user-agent": user_agent})
    assert client.post("/accounts/login/", {"login": user.email, "password": make.PASSWORD}).status_code == 302
    return client


def alive(client):
    return client.get("/profile/").status_code == 200


def sessions(client):
    return client.get("/accounts/sessions/").context["sessions"]


def test_the_list_shows_ones_own_sessions_by_device_and_marks_the_present_one(cast):
    client = signed_in(cast.alice)
    signed_in(cast.alice, IPHONE)
    signed_in(cast.bob, IPHONE)

    response = client.get("/accounts/sessions/")

    assert [session.device for session in response.context["sessions"]] == ["Safari, iPhone", "Chrome, Linux"]
    text = response.content.decode()
    assert text.index("Safari, iPhone") < text.index("Chrome, Linux") < text.index("Diese Sitzung")
    assert text.count("Diese Sitzung") == 1


def test_a_session_is_ended_at_once_and_leaves_a_trace(cast, as_operator):
    client, phone = signed_in(cast.alice), signed_in(cast.alice, IPHONE)
    (other,) = [s for s in sessions(client) if s.device == "Safari, iPhone"]

    response = client.post(f"/accounts/sessions/{other.pk}/end/")

    assert response.url == "/accounts/sessions/"
    assert not alive(phone)
    assert alive(client)
    with as_operator():
        event = AuditEvent.objects.latest("id")
    assert (event.verb, event.actor, event.object_id) == ("user.session_ended", cast.alice, cast.alice.pk)


def test_all_other_sessions_are_ended_in_one_go(cast):
    client, phone, tablet = signed_in(cast.alice), signed_in(cast.alice, IPHONE), signed_in(cast.alice, IPHONE)

    client.post("/accounts/sessions/")

    assert [alive(c) for c in (client, phone, tablet)] == [True, False, False]


def test_somebody_elses_session_is_not_there(cast):
    client, bobs = signed_in(cast.alice), signed_in(cast.bob)
    (session,) = sessions(bobs)

    assert client.post(f"/accounts/sessions/{session.pk}/end/").status_code == 404
    assert client.get(f"/accounts/sessions/{session.pk}/end/").status_code == 405

    assert alive(bobs)


def test_ending_the_present_session_signs_out(cast):
    client = signed_in(cast.alice)
    (session,) = sessions(client)

    client.post(f"/accounts/sessions/{session.pk}/end/")

    assert not alive(client)


@pytest.mark.parametrize(("idle", "minutes"), [(1800, 30), (900, 15)])
def test_a_session_ends_after_its_idle_time(cast, time_machine, idle, minutes):
    with override_settings(SESSION_IDLE_SECONDS=idle):
        time_machine.move_to(START, tick=False)
        client = signed_in(cast.alice)
        assert alive(client)
        time_machine.shift(minutes * 60 - 1)
        assert alive(client)

        time_machine.shift(minutes * 60 + 1)

        assert not alive(client)


def test_a_session_ends_after_twelve_hours_whatever_was_done_in_it(cast, time_machine):
    time_machine.move_to(START, tick=False)
    client = signed_in(cast.alice)
    for _ in range(12 * 3 - 1):
        time_machine.shift(20 * 60)
        assert alive(client)

    time_machine.shift(20 * 60 + 1)

    assert not alive(client)


def test_idle_times_differ_between_web_and_operator():
    from portal import settings

    assert settings.SESSION_COOKIE_AGE == 12 * 3600
    source = Path(settings.__file__).read_text()
    assert 'SESSION_IDLE_SECONDS = 900 if PROCESS == "operator" else 1800' in source


def test_a_switched_tenant_is_served_from_the_next_request_on(cast):
    client = signed_in(cast.erika)
    assert "Acme GmbH" in client.get("/profile/").content.decode()
    from portal import access

    client.post("/switch-tenant/", {"tenant": cast.globex.pk, "_tenant": access.tenant_token(cast.acme.pk)})

    response = client.get("/profile/")
    assert response.wsgi_request.membership.tenant_id == cast.globex.pk
    assert 'class="p-tenant-name"><strong>Globex AG</strong>' in response.content.decode()


def test_a_removed_membership_ends_on_the_next_request(cast, as_operator):
    client = signed_in(cast.alice)
    assert alive(client)

    with as_operator():
        Membership.objects.filter(user=cast.alice).delete()

    assert client.get("/profile/").url == "/"
    response = client.get("/")
    assert response.status_code == 403
    assert "gehören hier zu keinem Unternehmen" in response.content.decode()
    assert client.get("/accounts/2fa/").status_code == 200  # the account itself stays in reach


def test_losing_the_tenant_shown_leads_to_the_other_one(cast, as_operator):
    client = signed_in(cast.erika)
    assert client.get("/profile/").wsgi_request.membership.tenant_id == cast.acme.pk

    with as_operator():
        Membership.objects.filter(user=cast.erika, tenant=cast.acme).delete()

    assert client.get("/profile/").wsgi_request.membership.tenant_id == cast.globex.pk


def test_a_changed_role_counts_on_the_next_request(cast, as_operator):
    client = signed_in(cast.alice)

    with as_operator():
        Membership.objects.filter(user=cast.alice).update(role="staff")

    assert client.get("/profile/").wsgi_request.membership.role == "staff"


def test_pages_of_accounts_are_never_stored(cast):
    client = signed_in(cast.alice)

    for page in ("/profile/", "/accounts/2fa/", "/accounts/sessions/", "/accounts/email/"):
        assert "no-store" in client.get(page).headers["Cache-Control"]


def test_an_ended_account_leaves_no_session_behind(cast):
    client = signed_in(cast.bob)

    User.objects.filter(pk=cast.bob.pk).update(is_active=False)

    assert not alive(client)
    assert client.get("/accounts/sessions/").status_code == 302


def test_a_session_from_before_a_new_password_is_nobodys_and_nobody_is_announced(cast):
    client = signed_in(cast.alice)
    cast.alice.set_password("another-long-password")
    cast.alice.save()

    with CaptureQueriesContext(connection) as statements:
        response = client.get("/numbers/")

    assert response.url.startswith("/accounts/login/")
    announced = [s["sql"] for s in statements.captured_queries if "set_config('app.user_id'" in s["sql"]]
    assert f"set_config('app.user_id', '{cast.alice.pk}', true)" in announced[0]
    assert "set_config('app.user_id', '', true), set_config('app.tenant_id', '', true)" in announced[1]
    assert len(announced) == 2


def row(thing):
    return {field.attname: getattr(thing, field.attname) for field in thing._meta.concrete_fields}


def test_a_page_knows_person_memberships_and_tenants_as_their_rows_are(cast, sign_in, as_operator):
    User.objects.filter(pk=cast.erika.pk).update(preferences={"columns": ["area"]}, theme="dark")
    loner = make.user("loner@partner.example", "Lone Loner", {})

    for who, tenants in ((cast.erika, ["Acme GmbH", "Globex AG"]), (loner, [])):
        asked = sign_in(who).get("/accounts/sessions/").wsgi_request

        with as_operator():
            own = list(Membership.objects.filter(user=who).select_related("tenant").order_by("tenant__name"))
            assert row(asked.user) == row(User.objects.get(pk=who.pk))
        assert [row(m) for m in asked.memberships] == [row(m) for m in own]
        assert [row(m.tenant) for m in asked.memberships] == [row(m.tenant) for m in own]
        assert [m.tenant.name for m in asked.memberships] == tenants
