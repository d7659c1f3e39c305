import pytest
from django.db import IntegrityError, transaction

from portal.models import AuditEvent, Membership, OutboxMessage, Role
from portal.tenancy import tenant_transaction
from staff import invitations, members, ties
from staff.members import MemberRefused, Person
from staff.models import Invitation, StaffMember
from tests import make
from tests.conftest import NOW

PERSON = Person("Ömer Öztürk", "Oemer@Acme.example", "23", "Vertrieb", "en")


def locked(*rows):
    return StaffMember.objects.locked([row.pk for row in rows])


def events(prefix="staff."):
    return list(AuditEvent.objects.filter(verb__startswith=prefix).order_by("id").values_list("verb", flat=True))


def mails():
    return list(OutboxMessage.objects.order_by("id").values_list("template", "recipient"))


@pytest.fixture
def bob(acme):
    return make.member("Bob Brandt", email="bob@acme.example", user=acme.bob)


@pytest.fixture
def nora(acme):
    return make.member("Nora Nagel", email="nora@acme.example")


@pytest.fixture
def holding():
    """Somebody above holds something of whoever is in this list."""
    holders = []

    class Held:
        def held(self, member_ids, *, at):
            return {pk: 2 for pk in member_ids if pk in holders}

    tie = Held()
    ties.register(tie)
    yield holders
    ties._ties.remove(tie)


def test_add_writes_the_person_down(acme):
    member = members.add(PERSON, by=acme.alice, at=NOW)

    assert (member.name, member.sort_key, member.email) == ("Ömer Öztürk", "omer ozturk", "oemer@acme.example")
    assert (member.state, member.user, member.tenant_id) == ("active", None, acme.acme.pk)
    event = AuditEvent.objects.get(verb="staff.added")
    assert (event.object_id, event.after["department"], event.actor) == (member.pk, "Vertrieb", acme.alice)


def test_add_refuses_an_address_of_somebody_else_here(acme, bob):
    with pytest.raises(MemberRefused) as refused:
        members.add(Person("Robert", "BOB@acme.example"), by=acme.alice, at=NOW)

    assert refused.value.field == "email"
    assert StaffMember.objects.count() == 1


def test_add_takes_an_address_of_somebody_who_left(acme, nora):
    members.leave(locked(nora), by=acme.alice, at=NOW)

    again = members.add(Person("Nora Nagel", "nora@acme.example"), by=acme.alice, at=NOW)

    assert again.pk != nora.pk


def test_change_notes_what_differs_and_sorts_anew(acme, nora):
    [outcome] = [members.change(locked(nora)[0], Person("Ärne", "nora@acme.example"), by=acme.alice, at=NOW)]

    nora.refresh_from_db()
    assert (outcome.result, nora.name, nora.sort_key) == ("done", "Ärne", "arne")
    assert AuditEvent.objects.get(verb="staff.changed").before == {"name": "Nora Nagel"}


def test_change_of_nothing_changes_nothing(acme, nora):
    outcome = members.change(locked(nora)[0], Person("Nora Nagel", "nora@acme.example"), by=acme.alice, at=NOW)

    assert (outcome.result, events()) == ("unchanged", [])


def test_change_of_the_address_revokes_an_open_invitation(acme, nora):
    invitations.invite(locked(nora), role=Role.STAFF, by=acme.alice, at=NOW)

    members.change(locked(nora)[0], Person("Nora Nagel", "n@acme.example"), by=acme.alice, at=NOW)

    assert Invitation.objects.get().revoked_at == NOW


def test_change_leaves_the_address_of_who_signs_in(acme, bob):
    outcome = members.change(locked(bob)[0], Person("Bob Brandt", "other@acme.example"), by=acme.alice, at=NOW)

    assert (outcome.result, locked(bob)[0].address) == ("unchanged", "bob@acme.example")


def test_lock_shuts_out_and_unlock_gives_the_role_back(acme, bob):
    [outcome] = members.lock(locked(bob), by=acme.alice, at=NOW)

    bob.refresh_from_db()
    assert (outcome.result, bob.state, bob.role_kept) == ("done", "locked", "staff")
    assert not Membership.objects.filter(user=acme.bob).exists()

    members.unlock(locked(bob), by=acme.alice, at=NOW)

    bob.refresh_from_db()
    assert (bob.state, bob.role_kept) == ("active", "")
    assert Membership.objects.get(user=acme.bob).role == "staff"
    assert events() == ["staff.locked", "staff.unlocked"]
    assert mails() == [("staff/locked", "bob@acme.example"), ("staff/unlocked", "bob@acme.example")]


def test_lock_revokes_an_open_invitation(acme, nora):
    invitations.invite(locked(nora), role=Role.STAFF, by=acme.alice, at=NOW)

    members.lock(locked(nora), by=acme.alice, at=NOW)

    assert Invitation.objects.get().revoked_at == NOW


def test_leave_ends_the_login_and_keeps_the_row(acme, bob):
    [outcome] = members.leave(locked(bob), by=acme.alice, at=NOW)

    bob.refresh_from_db()
    assert (outcome.result, bob.state, bob.left_at, bob.user, bob.email) == (
        "done",
        "left",
        NOW,
        None,
        "bob@acme.example",
    )
    assert not Membership.objects.filter(user=acme.bob).exists()
    assert events() == ["staff.left"]
    assert mails() == [("staff/left", "bob@acme.example")]


def test_leave_of_a_locked_person_is_final(acme, bob):
    members.lock(locked(bob), by=acme.alice, at=NOW)

    members.leave(locked(bob), by=acme.alice, at=NOW)
    [again] = members.unlock(locked(bob), by=acme.alice, at=NOW)

    assert (again.result, again.reason) == ("refused", "has_left")


@pytest.mark.parametrize("verb", [members.lock, members.leave])
def test_nobody_goes_who_still_holds_something(acme, bob, nora, holding, verb):
    holding.append(bob.pk)

    outcomes = verb(locked(bob, nora), by=acme.alice, at=NOW)

    assert [(o.result, o.reason) for o in outcomes] == [("refused", "holds_numbers"), ("done", None)]
    assert Membership.objects.filter(user=acme.bob).exists()


@pytest.mark.parametrize("verb", [members.lock, members.leave])
def test_nobody_shuts_themselves_out(acme, verb):
    alice = make.member("Alice Adler", user=acme.alice)

    [outcome] = verb(locked(alice), by=acme.alice, at=NOW)

    assert (outcome.result, outcome.reason) == ("refused", "yourself")


@pytest.mark.parametrize("verb", [members.lock, members.leave])
def test_the_last_administrator_stays(acme, verb):
    alice = make.member("Alice Adler", user=acme.alice)
    erika = make.member("Erika Ernst", user=acme.erika)

    outcomes = verb(locked(alice, erika), by="command", at=NOW)

    assert [(o.result, o.reason) for o in outcomes] == [("done", None), ("refused", "last_administrator")]
    assert Membership.objects.get(role="administrator").user == acme.erika


def test_lock_twice_and_unlock_twice_change_nothing(acme, nora):
    members.lock(locked(nora), by=acme.alice, at=NOW)

    [again] = members.lock(locked(nora), by=acme.alice, at=NOW)
    members.unlock(locked(nora), by=acme.alice, at=NOW)
    [once_more] = members.unlock(locked(nora), by=acme.alice, at=NOW)

    assert [again.reason, once_more.reason] == ["already_locked", "not_locked"]
    assert [again.result, once_more.result] == ["unchanged", "unchanged"]


def test_enrol_lists_who_signs_in(acme, bob):
    make.member("Dora", email="dora@acme.example")

    found = members.enrol(by=acme.alice, at=NOW)

    assert sorted(member.user.email for member in found) == [
        "alice@acme.example",
        "dora@acme.example",
        "erika@partner.example",
    ]
    assert StaffMember.objects.count() == 4
    assert members.enrol(by=acme.alice, at=NOW) == []
    assert members.missing() == []


def test_operations_see_one_tenant(acme, bob):
    with tenant_transaction(acme.globex.pk, user_id=acme.carl.pk):
        assert StaffMember.objects.locked([bob.pk]) == []


def test_the_database_keeps_the_last_administrator(acme):
    rows = Membership.objects.filter(tenant=acme.acme, role="administrator")

    for change in (rows.delete, lambda: rows.update(role="staff")):
        with pytest.raises(IntegrityError, match="last administrator"), transaction.atomic():
            change()

    assert rows.count() == 2


def test_one_of_two_addresses_is_refused_by_the_database_too(acme, nora):
    with pytest.raises(IntegrityError), transaction.atomic():
        make.member("Double", email="nora@acme.example")
