import threading

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection, transaction

from portal import memberships, sessions
from portal.models import AuditEvent, Membership, OutboxMessage, Role
from portal.tenancy import tenant_transaction
from staff import members, roles
from staff.models import StaffMember
from tests import duel, make
from tests.conftest import NOW


def locked(*rows):
    return StaffMember.objects.locked([row.pk for row in rows])


@pytest.fixture
def bob(acme):
    return make.member("Bob Brandt", email="bob@acme.example", user=acme.bob)


def test_change_gives_another_role_and_tells_the_person(acme, bob):
    [outcome] = roles.change(locked(bob), role=Role.BILLING, by=acme.alice, at=NOW)

    assert outcome.result == "done"
    assert Membership.objects.get(user=acme.bob).role == "billing"
    event = AuditEvent.objects.get(verb="staff.role_changed")
    assert (event.before, event.after, event.object_id) == ({"role": "staff"}, {"role": "billing"}, bob.pk)
    assert AuditEvent.objects.filter(verb="membership.role_changed").count() == 1
    assert OutboxMessage.objects.get().template == "staff/role_changed"


def test_change_to_the_same_role_changes_nothing(acme, bob):
    [outcome] = roles.change(locked(bob), role=Role.STAFF, by=acme.alice, at=NOW)

    assert (outcome.result, outcome.reason) == ("unchanged", "same_role")
    assert not OutboxMessage.objects.exists()


def test_change_refuses_who_has_no_login_is_locked_or_left(acme, bob):
    nora = make.member("Nora")
    members.lock(locked(bob), by=acme.alice, at=NOW)
    left = make.member("Left", state="left", left_at=NOW)

    outcomes = [roles.change(locked(row), role=Role.STAFF, by=acme.alice, at=NOW)[0] for row in (nora, bob, left)]

    assert [outcome.reason for outcome in outcomes] == ["no_login", "is_locked", "has_left"]


def test_the_last_administrator_is_not_demoted(acme):
    rows = [make.member("Alice", user=acme.alice), make.member("Erika", user=acme.erika)]

    outcomes = roles.change(locked(*rows), role=Role.STAFF, by=acme.alice, at=NOW)

    assert [outcome.reason for outcome in outcomes] == [None, "last_administrator"]


def test_an_administrator_who_may_not_sign_in_does_not_count(acme, as_operator):
    with as_operator():
        acme.erika.is_active = False
        acme.erika.save()
    alice = make.member("Alice", user=acme.alice)

    [outcome] = roles.change(locked(alice), role=Role.STAFF, by=acme.alice, at=NOW)

    assert outcome.reason == "last_administrator"


# --- at the very next request ---


def test_a_changed_role_holds_at_the_next_request(cast, sign_in):
    browser = sign_in(cast.dora)
    assert browser.get("/costs/").status_code == 200

    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        member = make.member("Dora", user=cast.dora)
        roles.change(locked(member), role=Role.STAFF, by=cast.alice, at=NOW)

    assert browser.get("/costs/").status_code in (302, 403)


def test_locking_ends_sessions_of_this_tenant_alone(cast, sign_in):
    here, there = sign_in(cast.erika), sign_in(cast.erika)
    assert here.get("/dashboard/").context["shell"]["tenant_name"] == "Acme GmbH"
    there.post("/switch-tenant/", {"tenant": cast.globex.pk, "_tenant": _token(cast.acme)})
    assert there.get("/dashboard/").context["shell"]["tenant_name"] == "Globex AG"
    _listed(cast.erika, here, there)

    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        erika = make.member("Erika", user=cast.erika)
        members.lock(locked(erika), by=cast.alice, at=NOW)

    assert here.get("/dashboard/").status_code == 302  # signed out
    page = there.get("/dashboard/")
    assert page.context["shell"]["tenant_name"] == "Globex AG"
    assert [m["name"] for m in page.context["shell"]["memberships"]] == ["Globex AG"]
    assert there.post("/switch-tenant/", {"tenant": cast.acme.pk, "_tenant": _token(cast.globex)}).status_code == 404


def test_a_session_that_is_not_listed_loses_the_tenant_all_the_same(cast, sign_in):
    browser = sign_in(cast.bob)
    assert browser.get("/profile/").status_code == 200
    UserSession.objects.all().delete()

    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        members.lock(locked(make.member("Bob", user=cast.bob)), by=cast.alice, at=NOW)

    assert browser.get("/profile/").status_code == 302
    assert browser.get("/").status_code == 403


def test_ending_sessions_leaves_a_trace(cast, sign_in):
    browser = sign_in(cast.bob)
    browser.get("/profile/")
    _listed(cast.bob, browser)

    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        assert sessions.end(cast.bob, tenant_id=cast.acme.pk, by=cast.alice, at=NOW) == 1
        assert AuditEvent.objects.get(verb="user.sessions_ended").after == {"sessions": 1}

    assert browser.get("/profile/").status_code == 302


def _token(tenant):
    from portal.access import tenant_token

    return tenant_token(tenant.pk)


def _listed(person, *browsers):
    """Note the sessions in the list of sessions, as signing in by the form does."""
    for browser in browsers:
        UserSession.objects.get_or_create(
            session_key=browser.session.session_key, defaults={"user": person, "ip": "127.0.0.1", "user_agent": "x"}
        )


# --- two at once ---


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_demote_each_other_leave_one(cast, scale):
    with tenant_transaction(cast.acme.pk):
        rows = {who: make.member(who.name, user=who).pk for who in (cast.alice, cast.erika)}

    def demote(whom, by):
        def act():
            with tenant_transaction(cast.acme.pk, user_id=by.pk):
                [outcome] = roles.change(StaffMember.objects.locked([rows[whom]]), role=Role.STAFF, by=by, at=NOW)
                return outcome.reason

        return act

    for _ in range(scale(50)):
        results = duel.fight([(demote(cast.alice, cast.erika), demote(cast.erika, cast.alice))])

        assert sorted(map(str, results[0])) == ["None", "last_administrator"]
        with tenant_transaction(cast.acme.pk):
            [left] = Membership.objects.filter(tenant=cast.acme, role="administrator")
            other = cast.erika if left.user_id == cast.alice.pk else cast.alice
            roles.change(StaffMember.objects.locked([rows[other]]), role=Role.ADMINISTRATOR, by="test", at=NOW)


@pytest.mark.django_db(transaction=True)
def test_the_trigger_alone_holds_two_at_once(cast):
    """Past every operation: two connections, each takes one administrator away, one of them waits and is refused."""
    begun, errors = threading.Barrier(2, timeout=30), []

    def take_away(who):
        try:
            with tenant_transaction(cast.acme.pk), transaction.atomic():
                begun.wait()
                Membership.objects.filter(tenant=cast.acme, user=who).delete()
        except Exception as error:  # noqa: BLE001 -- whatever it is, the test looks at it
            errors.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=take_away, args=(who,)) for who in (cast.alice, cast.erika)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(errors) == 1
    assert "last administrator" in errors[0]
    with tenant_transaction(cast.acme.pk):
        assert Membership.objects.filter(tenant=cast.acme, role="administrator").count() == 1


def test_memberships_are_those_of_the_tenant(acme):
    assert memberships.of([acme.carl.pk, acme.bob.pk]).keys() == {acme.bob.pk}
