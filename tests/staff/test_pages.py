from uuid import uuid4

import pytest
from django.utils import timezone

from portal import tenancy
from portal.access import tenant_token
from portal.models import AuditEvent, Membership, OutboxMessage, Role
from staff import invitations, ties
from staff.models import Invitation, StaffMember
from tests import make

VERBS = ("edit", "lock", "unlock", "remove", "invite", "revoke", "role")


@pytest.fixture
def inside(cast):
    """Return a function that does something within Acme: `inside(lambda: …)`."""

    def act(work):
        with tenancy.tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
            return work()

    return act


@pytest.fixture
def bob(cast, inside):
    return inside(lambda: make.member("Bob Brandt", email="bob@acme.example", user=cast.bob))


@pytest.fixture
def nora(cast, inside):
    return inside(lambda: make.member("Nora Nagel", email="nora@acme.example"))


@pytest.fixture
def alice(cast, sign_in):
    """Return a function that sends a form of Acme's as Alice."""
    client = sign_in(cast.alice)

    def post(url, **fields):
        return client.post(url, {"_tenant": tenant_token(cast.acme.pk), "operation_id": uuid4()} | fields)

    post.get = client.get
    return post


def entered(**fields):
    return {"name": "Jürgen Jäger", "language": "de"} | fields


def test_new_creates_a_person_without_login(cast, inside, alice):
    response = alice("/staff/new/", **entered(department="Werk", extension="44"))

    member = inside(lambda: StaffMember.objects.get(name="Jürgen Jäger"))
    assert response.headers["Location"] == f"/staff/{member.pk}/"
    assert (member.department, member.extension, member.user_id) == ("Werk", "44", None)
    assert inside(lambda: OutboxMessage.objects.count()) == 0


def test_new_with_login_invites_in_the_same_transaction(cast, inside, alice):
    alice("/staff/new/", **entered(email="jj@acme.example", access="billing"))

    invitation = inside(lambda: Invitation.objects.get())
    assert (invitation.email, invitation.role) == ("jj@acme.example", "billing")
    assert inside(lambda: OutboxMessage.objects.get().template) == "staff/invitation"


def test_new_sent_twice_counts_once(inside, alice):
    key = uuid4()

    answers = [alice("/staff/new/", **entered(operation_id=key)) for _ in range(2)]

    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert inside(StaffMember.objects.count) == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"email": "no address"}, "email"),
        ({"email": "nora@acme.example"}, "email"),
        ({"access": "staff"}, "email"),
        ({"access": "owner", "email": "a@acme.example"}, "access"),
        ({"extension": "12a"}, "extension"),
        ({"language": "fr"}, "language"),
        ({"name": "Null\x00"}, "name"),
    ],
)
def test_bad_input_is_said_beside_its_field_and_creates_nobody(inside, alice, nora, fields, field):
    response = alice("/staff/new/", **entered(**fields))

    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert inside(StaffMember.objects.count) == 1


def test_edit_changes_and_says_what_is_taken(inside, alice, bob, nora):
    assert alice(f"/staff/{nora.pk}/edit/", **entered(email="bob@acme.example")).status_code == 422

    response = alice(f"/staff/{nora.pk}/edit/", **entered(email="n@acme.example"))

    assert response.headers["Location"] == f"/staff/{nora.pk}/"
    assert inside(lambda: StaffMember.objects.get(pk=nora.pk).email) == "n@acme.example"


def test_edit_leaves_the_address_of_who_signs_in(inside, alice, bob):
    alice(f"/staff/{bob.pk}/edit/", **entered(email="other@acme.example"))

    row = inside(lambda: StaffMember.objects.select_related("user").get(pk=bob.pk))
    assert (row.name, row.address) == ("Jürgen Jäger", "bob@acme.example")


def test_the_page_of_a_person_shows_facts_login_and_history(alice, bob, nora):
    alice(f"/staff/{nora.pk}/invite/", role="staff")

    page = alice.get(f"/staff/{nora.pk}/").text

    assert "Nora Nagel" in page
    assert "Eingeladen als Mitarbeiter, per E-Mail an nora@acme.example" in page
    assert f'href="/staff/{nora.pk}/revoke/"' in page
    assert f'href="/staff/{nora.pk}/role/"' not in page
    bobs = alice.get(f"/staff/{bob.pk}/").text
    assert f'href="/staff/{bob.pk}/role/"' in bobs
    assert f'href="/staff/{bob.pk}/invite/"' not in bobs


def test_each_act_does_its_work_and_says_so(inside, alice, bob, nora):
    said = []
    for verb, row, fields in (
        ("invite", nora, {"role": "staff"}),
        ("revoke", nora, {}),
        ("role", bob, {"role": "billing"}),
        ("lock", bob, {}),
        ("unlock", bob, {}),
        ("remove", bob, {}),
    ):
        assert alice.get(f"/staff/{row.pk}/{verb}/").status_code == 200
        assert alice(f"/staff/{row.pk}/{verb}/", **fields).status_code == 302
        said.append("p-toast" in alice.get(f"/staff/{row.pk}/").text)

    verbs = inside(
        lambda: list(AuditEvent.objects.filter(verb__startswith="staff.").order_by("id").values_list("verb"))
    )
    assert [verb for (verb,) in verbs] == [
        *("staff.invited", "staff.invitation_revoked", "staff.role_changed"),
        *("staff.locked", "staff.unlocked", "staff.left"),
    ]
    assert inside(lambda: Membership.objects.filter(user__email="bob@acme.example").count()) == 0


def test_an_act_sent_twice_counts_once(inside, alice, nora):
    key = uuid4()
    for _ in range(2):
        alice(f"/staff/{nora.pk}/invite/", role="staff", operation_id=key)

    assert inside(Invitation.objects.count) == 1


@pytest.mark.parametrize("verb", VERBS)
def test_an_act_in_the_wrong_state_changes_nothing_and_says_why(inside, alice, verb):
    left = inside(lambda: make.member("Gone", email="g@acme.example", state="left", left_at=timezone.now()))
    before = inside(lambda: StaffMember.objects.values().get(pk=left.pk))

    alice(f"/staff/{left.pk}/{verb}/", **entered(role="administrator"))

    assert inside(lambda: StaffMember.objects.values().get(pk=left.pk)) == before
    assert inside(lambda: Invitation.objects.count()) == 0


@pytest.mark.parametrize("verb", ["invite", "role"])
def test_a_role_that_does_not_exist_is_refused(alice, bob, verb):
    assert alice(f"/staff/{bob.pk}/{verb}/", role="owner").status_code == 422


@pytest.mark.parametrize("who", ["bob", "dora"])
@pytest.mark.parametrize("verb", ["", *(f"{verb}/" for verb in VERBS)])
def test_only_administrators_come_in(cast, sign_in, nora, who, verb):
    client = sign_in(getattr(cast, who))
    token = {"_tenant": tenant_token(cast.acme.pk), "operation_id": uuid4(), "role": "administrator"}

    assert client.get(f"/staff/{nora.pk}/{verb}").status_code == 403
    if verb:
        assert client.post(f"/staff/{nora.pk}/{verb}", token).status_code == 403


def test_the_last_administrator_is_refused_with_the_next_step(cast, inside, sign_in):
    erika, alice = inside(lambda: (make.member("Erika", user=cast.erika), make.member("Alice", user=cast.alice)))
    client = sign_in(cast.alice)
    token = {"_tenant": tenant_token(cast.acme.pk)}
    client.post(f"/staff/{erika.pk}/role/", token | {"operation_id": uuid4(), "role": "staff"})

    for verb, fields in (("role", {"role": "staff"}), ("lock", {}), ("remove", {})):
        page = client.post(f"/staff/{alice.pk}/{verb}/", token | {"operation_id": uuid4()} | fields, follow=True)
        words = "letzte Administrator" if verb == "role" else "nicht bei sich selbst"
        assert words in page.text
    assert inside(lambda: Membership.objects.get(user=cast.alice).role) == "administrator"


@pytest.mark.parametrize("verb", ["remove", "role"])
def test_what_cannot_be_undone_wants_a_fresh_sign_in(cast, client, bob, verb):
    client.force_login(cast.alice)

    response = client.get(f"/staff/{bob.pk}/{verb}/")

    assert response.headers["Location"].startswith("/accounts/reauthenticate/")


@pytest.mark.parametrize("verb", ["lock", "remove"])
def test_who_holds_something_is_not_let_go(inside, alice, bob, verb):
    class Held:
        def held(self, member_ids, *, at):
            return dict.fromkeys(member_ids, 1)

    tie = Held()
    ties.register(tie)
    try:
        alice(f"/staff/{bob.pk}/{verb}/")
    finally:
        ties._ties.remove(tie)

    assert inside(lambda: StaffMember.objects.get(pk=bob.pk).state) == "active"


def test_settings_are_shown_and_changed(cast, inside, alice):
    assert 'name="mails_on_assignment"' in alice.get("/staff/settings/").text

    alice("/staff/settings/", edits_forwarding="on")

    from staff import settings

    found = inside(settings.of_tenant)
    assert (found.mails_on_assignment, found.edits_forwarding, found.sees_own_calls) == (False, True, False)


def test_an_invitation_of_a_foreign_person_is_unknown(cast, alice):
    with tenancy.tenant_transaction(cast.globex.pk, user_id=cast.carl.pk):
        foreign = make.member("Foreign", email="f@globex.example")

    for verb in VERBS:
        assert alice(f"/staff/{foreign.pk}/{verb}/", **entered(role="staff")).status_code == 404
    with tenancy.tenant_transaction(cast.globex.pk):
        assert invitations.newest([foreign.pk]) == {}
        assert Role.STAFF == "staff"
