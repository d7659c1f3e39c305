import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from portal.models import AuditEvent, Membership, Tenant, User
from staff.models import StaffMember

GIVEN = ["Hooli GmbH", "--slug=hooli", "--customer-number=K-77", "--administrator", "Gavin@Hooli.example", "Gavin Grün"]


@pytest.fixture
def operator(db, as_operator):
    with as_operator(), translation.override("en"):
        yield


def test_create_tenant_makes_an_administrator_who_sets_a_password(operator, capsys):
    call_command("create_tenant", *GIVEN)

    membership = Membership.objects.get()
    assert (membership.tenant.slug, membership.role) == ("hooli", "administrator")
    assert (membership.user.email, membership.user.has_usable_password()) == ("gavin@hooli.example", False)
    assert list(AuditEvent.objects.order_by("id").values_list("verb", "tenant")) == [
        ("tenant.created", membership.tenant_id),
        ("membership.added", membership.tenant_id),
        ("staff.enrolled", membership.tenant_id),
    ]
    assert StaffMember.objects.get().user == membership.user
    assert "password/reset" in capsys.readouterr().out


def test_create_tenant_takes_somebody_who_is_known(operator):
    User.objects.create_user("gavin@hooli.example", "secret-of-gavin", name="G. Grün")

    call_command("create_tenant", *GIVEN)

    assert User.objects.get().name == "G. Grün"
    assert Membership.objects.get().user.has_usable_password()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({1: "--slug=acme"}, "short name"),
        ({2: "--customer-number=K-1"}, "customer number"),
        ({4: "nobody"}, "valid email"),
        ({1: "--slug=not a slug"}, "slug"),
    ],
)
def test_create_tenant_refuses_and_leaves_nothing(operator, change, reason):
    Tenant.objects.create(name="Acme GmbH", slug="acme", customer_number="K-1")

    with pytest.raises(CommandError, match=reason):
        call_command("create_tenant", *[change.get(place, text) for place, text in enumerate(GIVEN)])

    assert Tenant.objects.count() == 1
    assert not User.objects.exists()
