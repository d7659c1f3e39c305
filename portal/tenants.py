"""Tenants and the people in them, as the operator sets them up."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.utils.translation import gettext_lazy as _

from portal import audit
from portal.models import Membership, Role, Tenant, User
from portal.refusals import Refused


class TenantRefused(Refused):
    """The tenant cannot be created; `reason` says why, for people."""


def create(name: str, *, slug: str, customer_number: str, by: User | str, at: datetime) -> Tenant:
    """Create a tenant; raise TenantRefused when its slug or customer number is taken. Needs the operator's role."""
    if Tenant.objects.filter(slug=slug).exists():
        raise TenantRefused(_("There is already a tenant with this short name."))
    if Tenant.objects.filter(customer_number=customer_number).exists():
        raise TenantRefused(_("There is already a tenant with this customer number."))
    tenant = Tenant.objects.create(name=name, slug=slug, customer_number=customer_number)
    after = {"name": name, "slug": slug, "customer_number": customer_number}
    audit.record("tenant.created", [audit.Entry("tenant", tenant.pk, name, {}, after, tenant.pk)], by=by, at=at)
    return tenant


def invite(email: str, name: str, *, tenant: Tenant, role: Role, by: User | str, at: datetime) -> User:
    """Make a person a member of a tenant, creating the person if nobody has this address yet; return the person.

    A new person has no password and comes in by resetting it; a person who is a member already keeps their role.
    """
    person = person_with(email, name)
    membership, is_new = Membership.objects.get_or_create(user=person, tenant=tenant, defaults={"role": role})
    if is_new:
        entry = audit.Entry("membership", membership.pk, person.email, {}, {"role": role}, tenant.pk)
        audit.record("membership.added", [entry], by=by, at=at)
    return person


def person_with(email: str, name: str, *, is_operator: bool = False) -> User:
    """Return the person with this address, created without a usable password if there is none."""
    address = User.objects.normalize_email(email)
    person = User.objects.filter(email=address).first()
    if person is None:
        person = User.objects.create_user(address, None, name=name, is_operator=is_operator)
        EmailAddress.objects.create(user=person, email=address, primary=True, verified=True)
    return person
