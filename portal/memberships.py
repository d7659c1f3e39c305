"""Roles of people in a tenant: given, changed, ended. What each role may do stands in `portal.access`.

The last administrator of a tenant stays one (rule A6): every operation here locks the tenant's administrators before
it counts them, and a trigger has the last word. A change holds from the person's next request on, as the middleware
reads memberships anew each time; sessions that showed this tenant end at once, those of another tenant go on.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal import audit, sessions
from portal.models import Membership, Role, User
from portal.tenancy import current


class LastAdministrator(ValueError):
    """Somebody has to be left who can manage the tenant; `reason` says so, with what to do next."""

    reason: Promise = _(
        "This is the last administrator. Make somebody else an administrator first; then this person can be changed."
    )

    def __init__(self) -> None:
        super().__init__(str(self.reason))


def of(user_ids: Iterable[int]) -> dict[int, Membership]:
    """Return the memberships of these people in the announced tenant, by person."""
    rows = Membership.objects.filter(tenant_id=current(), user_id__in=list(user_ids)).select_related("user")
    return {membership.user_id: membership for membership in rows}


def is_last_administrator(membership: Membership) -> bool:
    """Return whether nobody else could manage this membership's tenant any more, were it gone; for the operator."""
    others = Membership.objects.filter(tenant=membership.tenant_id, role=Role.ADMINISTRATOR, user__is_active=True)
    return membership.role == Role.ADMINISTRATOR and not others.exclude(pk=membership.pk).exists()


def give(user: User, role: Role, *, by: User | str, at: datetime) -> Membership:
    """Make a person a member of the announced tenant with this role; who is one already keeps theirs."""
    membership, is_new = Membership.objects.get_or_create(user=user, tenant_id=current(), defaults={"role": role})
    if is_new:
        _note("membership.added", membership, {}, {"role": role}, by=by, at=at)
    return membership


def change_role(membership: Membership, role: Role, *, by: User | str, at: datetime) -> bool:
    """Give a member of the announced tenant another role; return whether it is another one.

    Raises LastAdministrator. Their sessions of this tenant end, so nothing stays open that the new role may not see.
    """
    administrators = _administrators()
    present = Membership.objects.select_for_update(no_key=True).get(pk=membership.pk, tenant_id=current())
    if present.role == role:
        return False
    _somebody_stays(administrators, without=present)
    before, present.role = present.role, role
    present.save(update_fields=["role"])
    _note("membership.role_changed", present, {"role": before}, {"role": role}, by=by, at=at)
    sessions.end(present.user, tenant_id=present.tenant_id, by=by, at=at)
    return True


def end(user: User, *, by: User | str, at: datetime) -> Role | None:
    """Take a person out of the announced tenant, and their sessions of it; return the role they had, if any.

    Raises LastAdministrator.
    """
    administrators = _administrators()
    present = Membership.objects.select_for_update().filter(user=user, tenant_id=current()).first()
    if present is None:
        return None
    _somebody_stays(administrators, without=present)
    _note("membership.removed", present, {"role": present.role}, {}, by=by, at=at)
    sessions.end(user, tenant_id=present.tenant_id, by=by, at=at)
    present.delete()
    return Role(present.role)


def _administrators() -> list[Membership]:
    """Lock and return the tenant's administrators who may sign in: two who take each other away wait in turn."""
    rows = Membership.objects.filter(tenant_id=current(), role=Role.ADMINISTRATOR, user__is_active=True)
    return list(rows.order_by("pk").select_for_update(of=("self",)))


def _somebody_stays(administrators: Sequence[Membership], *, without: Membership) -> None:
    others = [membership for membership in administrators if membership.pk != without.pk]
    if without.role == Role.ADMINISTRATOR and not others:
        raise LastAdministrator


def _note(
    verb: str,
    membership: Membership,
    before: dict[str, str],
    after: dict[str, str],
    *,
    by: User | str,
    at: datetime,
) -> None:
    entry = audit.Entry("membership", membership.pk, membership.user.email, before, after, membership.tenant_id)
    audit.record(verb, [entry], by=by, at=at)
