import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import translation

from portal import outbox, tenancy
from portal.models import AuditEvent, Membership, OutboxMessage, Role, User
from staff import invitations, members
from staff.invitations import NotValid
from staff.models import Invitation, StaffMember
from tests import duel, make
from tests.conftest import NOW

SECRET = "Sieben-blaue-Elefanten"


def locked(row):
    return StaffMember.objects.locked([row.pk])


def mailed(at=-1):
    """Return the token of a mailed link, as only its reader knows it."""
    message = list(OutboxMessage.objects.filter(template="staff/invitation").order_by("id"))[at]
    return re.fullmatch(r"http://.*/invitation/([\w-]+)/", message.context["url"])[1]


def kept(at=-1):
    return invitations.fingerprint(mailed(at))


@pytest.fixture
def nora(acme):
    return make.member("Nora Nagel", email="nora@acme.example", language="en")


@pytest.fixture
def invited(acme, nora):
    invitations.invite(locked(nora), role=Role.BILLING, by=acme.alice, at=NOW)
    return nora


def test_invite_mails_a_link_and_keeps_a_hash(acme, invited):
    invitation = Invitation.objects.get()

    assert (invitation.email, invitation.role, invitation.expires_at) == (
        "nora@acme.example",
        "billing",
        NOW + timedelta(days=7),
    )
    assert len(mailed()) >= 43  # 256 bits
    assert invitation.token_hash == kept()
    assert mailed() not in invitation.token_hash
    assert AuditEvent.objects.get(verb="staff.invited").object_id == invited.pk
    message = OutboxMessage.objects.get()
    assert (message.recipient, message.language, message.template) == ("nora@acme.example", "en", "staff/invitation")
    assert mailed() not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("template", ["invitation", "locked", "unlocked", "left", "role_changed", "accepted"])
def test_mails_are_written_in_text_and_html(acme, template, language):
    context = {"name": "Nora", "tenant": "Acme GmbH", "url": "http://x.example/t", "valid_until": "bald"}
    context |= {"invited_by": "Alice", "person": "Nora", "email": "nora@acme.example", "role": "billing"}
    mail = outbox.compose(
        OutboxMessage(recipient="n@acme.example", language=language, template=f"staff/{template}", context=context)
    )

    assert mail.subject
    assert "Acme GmbH" in mail.body + mail.subject
    assert mail.alternatives[0].mimetype == "text/html"
    assert ("Guten Tag" in mail.body) == (language == "de")


def test_the_link_is_forgotten_once_sent(acme, invited, as_operator, mailoutbox):
    with as_operator():
        message = OutboxMessage.objects.get()
        assert outbox.deliver(message, at=NOW)
        message.refresh_from_db()

    assert message.context == {}


def test_a_new_invitation_kills_the_old(acme, invited):
    invitations.invite(locked(invited), role=Role.STAFF, by=acme.alice, at=NOW + timedelta(hours=1))

    with pytest.raises(NotValid):
        invitations.offer(kept(0), at=NOW + timedelta(hours=2))
    assert invitations.offer(kept(1), at=NOW + timedelta(hours=2)).invitation.role == "staff"


def test_invite_refuses_whom_it_cannot_reach(acme):
    bob = make.member("Bob", user=acme.bob, email="bob@acme.example")
    rows = {
        "no_email": make.member("No Mail"),
        "is_locked": make.member("Locked", email="l@acme.example", state="locked"),
        "has_left": make.member("Left", email="x@acme.example", state="left", left_at=NOW),
        "has_login": bob,
        "address_has_login": make.member("Dora two", email="dora@acme.example"),
    }

    found = {
        reason: invitations.invite(locked(row), role=Role.STAFF, by=acme.alice, at=NOW)[0]
        for reason, row in rows.items()
    }

    assert {reason: outcome.reason for reason, outcome in found.items()} == {reason: reason for reason in rows}
    assert not OutboxMessage.objects.exists()


def test_invite_stops_after_five_a_day(acme, nora):
    outcomes = [
        invitations.invite(locked(nora), role=Role.STAFF, by=acme.alice, at=NOW + timedelta(minutes=n))[0]
        for n in range(6)
    ]
    [tomorrow] = invitations.invite(locked(nora), role=Role.STAFF, by=acme.alice, at=NOW + timedelta(days=1, hours=1))

    assert [o.result for o in outcomes] == ["done"] * 5 + ["refused"]
    assert outcomes[5].reason == "invited_too_often"
    assert tomorrow.result == "done"


def test_accept_makes_a_login_with_the_role_chosen(acme, invited):
    user = invitations.accept(kept(), user=None, name="Nora N.", password=SECRET, at=NOW)

    invited.refresh_from_db()
    assert (user.email, user.name, user.language, user.check_password(SECRET)) == (
        "nora@acme.example",
        "Nora N.",
        "en",
        True,
    )
    assert EmailAddress.objects.get(user=user).verified
    assert Membership.objects.get(user=user).role == "billing"
    assert invited.user == user
    assert {"staff.invitation_accepted", "membership.added"} <= set(AuditEvent.objects.values_list("verb", flat=True))
    assert OutboxMessage.objects.filter(template="staff/accepted", recipient="alice@acme.example").count() == 1


def test_accept_joins_who_signs_in_already(acme, nora, as_operator):
    with as_operator():
        User.objects.filter(pk=acme.carl.pk).update(email="nora@acme.example")
    acme.carl.refresh_from_db()
    invitations.invite(locked(nora), role=Role.STAFF, by=acme.alice, at=NOW)
    assert invitations.offer(kept(), at=NOW).signs_in

    with pytest.raises(NotValid):
        invitations.accept(kept(), user=None, name="Thief", password=SECRET, at=NOW)
    invitations.accept(kept(), user=acme.carl, at=NOW)

    assert Membership.objects.get(user=acme.carl, tenant=acme.acme).role == "staff"
    assert not acme.carl.check_password(SECRET)


@pytest.mark.parametrize("spoiled", ["used", "expired", "revoked", "locked", "left", "other address", "unknown"])
def test_a_spoiled_link_opens_nothing(acme, invited, spoiled):
    key, user, at = kept(), None, NOW
    match spoiled:
        case "used":
            invitations.accept(key, user=None, name="Nora", password=SECRET, at=NOW)
        case "expired":
            at = NOW + timedelta(days=7)
        case "revoked":
            invitations.revoke(locked(invited), by=acme.alice, at=NOW)
        case "locked":
            members.lock(locked(invited), by=acme.alice, at=NOW)
        case "left":
            members.leave(locked(invited), by=acme.alice, at=NOW)
        case "other address":
            user = acme.carl
        case "unknown":
            key = invitations.fingerprint("guess")
    before = Membership.objects.count(), User.objects.count()

    with pytest.raises(NotValid):
        invitations.accept(key, user=user, name="Nora", password=SECRET, at=at)

    assert (Membership.objects.count(), User.objects.count()) == before


def test_the_tenant_is_found_before_one_is_announced(cast):
    with tenancy.tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        nora = make.member("Nora", email="nora@acme.example")
        invitations.invite(locked(nora), role=Role.STAFF, by=cast.alice, at=NOW)
        key = kept()

    assert invitations.tenant_of(key) == cast.acme.pk
    assert invitations.tenant_of(invitations.fingerprint("guess")) is None


# --- the page ---


@pytest.fixture
def link(cast):
    """Return an open link to Acme for nora@acme.example, from within no tenant."""
    with tenancy.tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        from django.utils import timezone

        nora = make.member("Nora Nagel", email="nora@acme.example", language="de")
        invitations.invite(locked(nora), role=Role.STAFF, by=cast.alice, at=timezone.now())
        return f"/invitation/{mailed()}/"


ENTERED = {"name": "Nora Nagel", "password1": SECRET, "password2": SECRET}


def test_looking_at_a_link_uses_nothing_up_and_takes_the_token_out_of_the_address(link, client):
    for _ in range(3):  # a scanner of mail looks first
        response = client.get(link)

        assert (response.status_code, response.headers["Location"]) == (302, "/invitation/")
        assert client.get("/invitation/").status_code == 200
    page = client.get("/invitation/").text
    assert "Acme GmbH" in page
    assert "nora@acme.example" in page
    assert link.split("/")[2] not in page + str(dict(client.session))


def test_accepting_leads_to_the_sign_in_and_works_once(link, client):
    client.get(link)

    response = client.post("/invitation/", ENTERED)

    assert (response.status_code, response.headers["Location"]) == (302, "/accounts/login/")
    answer = client.post("/accounts/login/", {"login": "nora@acme.example", "password": SECRET}, follow=True)
    assert answer.redirect_chain[-1][0] == "/mine/"
    client.get(link)
    assert client.post("/invitation/", ENTERED).status_code == 404


def test_dead_links_show_one_page_that_reveals_nothing(link, client, sign_in, cast):
    carl = sign_in(cast.carl)
    pages = []
    for browser, address in ((client, "/invitation/guess/"), (client, None), (carl, link)):
        if address:
            browser.get(address)
        response = browser.get("/invitation/")
        assert response.status_code == 404
        pages.append(re.sub(r'value="[^"]+"|content="[^"]+"', "", response.text))
    assert pages[0] == pages[1]
    assert "Diese Einladung ist nicht gültig" in pages[2]
    for word in ("Acme", "nora", "Nora"):
        assert all(word not in page for page in pages)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password2": "something-else"}, "password2"),
        ({"password1": "short", "password2": "short"}, "password1"),
        ({"name": ""}, "name"),
        ({"password1": "nora@acme.example", "password2": "nora@acme.example"}, "password1"),
    ],
)
def test_bad_input_is_said_beside_its_field(link, client, change, field):
    client.get(link)

    response = client.post("/invitation/", ENTERED | change)

    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not User.objects.filter(email="nora@acme.example").exists()


def test_who_signs_in_already_joins_by_a_click(cast, client, sign_in):
    from django.utils import timezone

    with tenancy.tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        carl = make.member("Carl Conrad", email="carl@globex.example")
        invitations.invite(locked(carl), role=Role.STAFF, by=cast.alice, at=timezone.now())
        link = f"/invitation/{mailed()}/"
    client.get(link)
    assert 'name="password1"' not in client.get("/invitation/").text
    assert client.post("/invitation/", ENTERED).status_code == 200  # nothing is made of it

    browser = sign_in(cast.carl)
    browser.get(link)
    with translation.override("en"):
        response = browser.post("/invitation/", follow=True)

    assert response.redirect_chain[-1][0] == "/mine/"
    assert "Acme GmbH" in response.text
    with tenancy.tenant_transaction(cast.acme.pk):
        assert Membership.objects.get(user=cast.carl, tenant=cast.acme).role == "staff"


def test_too_many_tries_are_stopped(link, client):
    client.get("/invitation/guess/")

    codes = [client.post("/invitation/", ENTERED).status_code for _ in range(25)]

    assert codes.count(429) == 5


def test_who_lost_the_membership_is_invited_again(acme, as_operator):
    bob = make.member("Bob", user=acme.bob, email="bob@acme.example")
    Membership.objects.filter(user=acme.bob).delete()

    [outcome] = invitations.invite(locked(bob), role=Role.STAFF, by=acme.alice, at=NOW)
    invitations.accept(kept(), user=acme.bob, at=NOW)

    assert outcome.result == "done"
    assert Membership.objects.get(user=acme.bob).role == "staff"


@pytest.mark.django_db(transaction=True)
def test_two_who_accept_one_link_at_once_make_one_login(cast, scale):
    for place in range(scale(50)):
        address = f"nora{place}@acme.example"
        with tenancy.tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
            invitations.invite(
                locked(make.member(f"Nora {place}", email=address)), role=Role.STAFF, by=cast.alice, at=NOW
            )
            key = kept()

        def accepts(name, key=key):
            def act():
                with tenancy.tenant_transaction(cast.acme.pk):
                    return invitations.accept(key, user=None, name=name, password=SECRET, at=NOW).name

            return act

        [pair] = duel.fight([(accepts("First"), accepts("Second"))])

        [refused] = [answer for answer in pair if isinstance(answer, NotValid)]
        [name] = [answer for answer in pair if answer is not refused]
        user = User.objects.get(email=address)
        assert (user.name, user.check_password(SECRET)) == (name, True)
        with tenancy.tenant_transaction(cast.acme.pk):
            assert Membership.objects.filter(user=user).count() == 1
