"""The link in a mail: shows the secret once, to whom it is for, after a fresh sign-in (rule F3)."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from fax import access, keys, links, mailing, revoking
from fax.models import FaxCredential, FaxMail
from numbers.models import PhoneNumber
from portal.models import AuditEvent, OutboxMessage
from portal.tenancy import tenant_transaction
from staff.models import StaffMember
from tests import make
from tests.conftest import NOW
from tests.numbers.confirming import send, text

LINK = "/fax/link/"


@pytest.fixture(autouse=True)
def _clock(clock):
    return clock


@pytest.fixture
def mailed(office):
    """Return a function that mails Bob his credentials of the shared fax and returns the link."""

    def _mailed(number=None, at=NOW):
        with tenant_transaction(office.cast.acme.pk, user_id=office.cast.alice.pk):
            locked = PhoneNumber.objects.locked([(number or office.shared).pk])[0]
            mailing.send(locked, StaffMember.objects.locked([office.bob.pk]), by=office.cast.alice, at=at)
            return re.search(r"/fax/link/\S+", OutboxMessage.objects.order_by("-pk")[0].context["url"])[0]

    return _mailed


def show(office, client):
    return send(client, LINK, office.cast.acme)


def secret_of(page):
    found = re.search(r'id="secret">([^<]+)<', page.content.decode())
    return found[1] if found else None


def works(office, secret, at=NOW):
    with tenant_transaction(office.cast.acme.pk):
        credential = FaxCredential.objects.filter(revoked_at=None).first()
        try:
            access.verify(credential.username, secret, e164=office.shared.e164, at=at)
        except access.Denied:
            return False
        return True


def test_the_link_shows_server_user_and_secret_with_a_set_up_for_each_system(office, mailed, sign_in):
    bob = sign_in(office.cast.bob)
    assert bob.get(mailed()).headers["Location"] == LINK
    asked = bob.get(LINK)
    assert secret_of(asked) is None

    page = show(office, bob)

    secret = secret_of(page)
    with tenant_transaction(office.cast.acme.pk):
        username = FaxCredential.objects.get().username
        event = AuditEvent.objects.get(verb="number.fax_shown")
    assert works(office, secret)
    assert (event.actor, event.object_label) == (office.cast.bob, office.shared.e164)
    assert page.headers["Cache-Control"].startswith(("no-store", "max-age=0, no-cache, no-store"))
    for words in ("Windows", "macOS", "Linux", username, "ipp://localhost:8000/ipp/fax/493023125021"):
        assert words in text(page)
    assert f"lpadmin -p Fax-03023125021 -E -v 'ipp://{username}:{secret}@localhost:8000/ipp/fax/493023125021'" in (
        text(page).replace("&#x27;", "'")
    )


def test_the_link_works_once(office, mailed, sign_in):
    bob, link = sign_in(office.cast.bob), mailed()
    bob.get(link)
    secret = secret_of(show(office, bob))

    again = show(office, bob)
    bob.get(link)

    for answer in (again, bob.get(LINK)):
        assert (answer.status_code, secret_of(answer)) == (404, None)
        assert "Der Link wurde schon verwendet" in text(answer)
    assert works(office, secret)


def test_fifty_scanners_do_not_burn_it(office, mailed, sign_in, scale):
    link = mailed()
    for _ in range(scale(500)):
        scanner = Client()
        for address in (link, LINK):
            for look in (scanner.get, scanner.head, scanner.post):
                assert look(address).status_code in (302, 403, 405, 409)

    bob = sign_in(office.cast.bob)
    bob.get(link)
    assert secret_of(show(office, bob))


def test_a_sign_in_and_a_fresh_one_come_first(office, mailed, client):
    client.get(mailed())
    assert client.get(LINK).headers["Location"].startswith(reverse("account_login"))
    client.force_login(office.cast.bob)

    for answer in (client.get(LINK), show(office, client)):
        assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    make.just_signed_in(client, office.cast.bob)
    assert secret_of(show(office, client))


@pytest.mark.parametrize("who", ["alice", "dora", "carl", "erika", "olga"])
def test_nobody_else_gets_anything_out_of_it(office, mailed, sign_in, who):
    other = sign_in(getattr(office.cast, who))
    other.get(mailed())
    tenant = office.cast.globex if who == "carl" else office.cast.acme

    for answer in (other.get(LINK), send(other, LINK, tenant)):
        assert secret_of(answer) is None
        assert answer.status_code in (302, 404)
        if answer.status_code == 404:
            assert "Den Link gibt es nicht, oder er ist für jemand anderen" in text(answer)
    with tenant_transaction(office.cast.acme.pk):
        assert FaxMail.objects.get().opened_at is None


def _expire(office, credential):
    FaxMail.objects.update(expires_at=NOW)


def _revoke(office, credential):
    revoking.revoke([credential], by=office.cast.alice, at=NOW)


def _replace(office, credential):
    FaxMail.objects.update(ended_at=NOW)


def _deactivate(office, credential):
    PhoneNumber.objects.filter(pk=office.shared.pk).update(state="inactive", active_since=None)


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (_expire, "älter als 72 Stunden"),
        (_revoke, "Zugang zu dieser Faxnummer wurde entzogen"),
        (_replace, "Eine neuere E-Mail hat diesen Link ersetzt"),
        (_deactivate, "sie ist inaktiv oder nicht mehr Ihre"),
    ],
)
def test_a_link_that_shows_nothing_says_why(office, mailed, sign_in, happens, words):
    bob = sign_in(office.cast.bob)
    bob.get(mailed())
    with tenant_transaction(office.cast.acme.pk, user_id=office.cast.alice.pk):
        happens(office, FaxCredential.objects.select_related("number", "staff_member").get())

    for answer in (bob.get(LINK), show(office, bob)):
        assert answer.status_code == 404
        assert words.lower() in text(answer).lower()
    with tenant_transaction(office.cast.acme.pk):
        assert FaxCredential.objects.get().secret_hash == ""


def test_an_unknown_link_is_none(office, sign_in):
    bob = sign_in(office.cast.bob)

    assert bob.get(LINK).status_code == 404
    bob.get("/fax/link/nothing/")
    assert bob.get(LINK).status_code == 404


def test_a_new_secret_leaves_the_one_in_use_until_it_is_used_itself(office, mailed, sign_in):
    bob = sign_in(office.cast.bob)
    bob.get(mailed())
    first = secret_of(show(office, bob))
    assert works(office, first)
    bob.get(mailed())
    assert "Sie erhalten ein neues Passwort" in text(bob.get(LINK))
    lost = secret_of(show(office, bob))  # shown, and never used
    bob.get(mailed())
    last = secret_of(show(office, bob))

    assert works(office, first)
    assert not works(office, lost)
    assert works(office, first, at=NOW + timedelta(hours=23, minutes=59))
    assert not works(office, first, at=NOW + timedelta(hours=24))
    assert works(office, last)
    assert not works(office, first)


def test_a_person_of_two_tenants_opens_a_link_of_the_other_one(office, sign_in):
    erika = office.cast.erika
    with tenant_transaction(office.cast.globex.pk, user_id=office.cast.carl.pk):
        member = make.member("Erika Ernst", user=erika)
        number = make.number("+496990009020", state="active", usage="fax_shared", area_code="69")
        locked = PhoneNumber.objects.locked([number.pk])[0]
        mailing.send(locked, StaffMember.objects.locked([member.pk]), by=office.cast.carl, at=NOW)
        link = re.search(r"/fax/link/\S+", OutboxMessage.objects.get().context["url"])[0]
    client = sign_in(erika)
    client.get("/")
    assert client.session["tenant_id"] == office.cast.acme.pk
    client.get(link)

    page = show(office, client)

    assert secret_of(page)
    assert "069 90009020" in text(page)
    assert client.session["tenant_id"] == office.cast.acme.pk


def test_the_tenant_of_a_link_is_known_before_any_is_announced(office, mailed):
    token = mailed().rstrip("/").rpartition("/")[2]

    assert links.tenant_of(keys.fingerprint(token)) == office.cast.acme.pk
    assert links.tenant_of("") is None
    assert links.tenant_of("x") is None
