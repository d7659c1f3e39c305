"""Invitations: how a staff member comes by a login.

A link is mailed to one address. It works once, for seven days, while it is the newest one and the person is neither
locked nor left. Its token (256 bits) is in that mail only; here is its SHA-256, by which a narrow function finds the
tenant before one is known. Looking at the link changes nothing, so scanners of mail may look.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format

from portal import audit, memberships, tenants
from portal.models import Membership, Role, Tenant, User
from portal.tenancy import current
from staff import messages, outcomes
from staff.models import Invitation, LockedMember, StaffMember, StaffState
from staff.outcomes import Outcome, Reason

VALID = timedelta(days=7)
MOST_A_DAY = 5  # to one person: nobody's mailbox is filled from here
KIND = "staff_member"


class NotValid(LookupError):
    """The link opens nothing: used, expired, revoked, unknown or somebody else's; which of these, nobody is told."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a valid link offers; `signs_in` says that the address has a login already, which has to be shown."""

    invitation: Invitation
    tenant: str
    signs_in: bool


def invite(members: Sequence[LockedMember], *, role: Role, by: User | str, at: datetime) -> list[Outcome]:
    """Mail each of these people a link to a login with this role; an earlier link no longer works from now on.

    Returns one outcome per person: done, unchanged (has a login) or refused (no address, locked, left, the address
    signs in as somebody else here, invited too often).
    """
    return [outcomes.of(member.pk, _invite(member, role, by, at)) for member in members]


def revoke(members: Sequence[LockedMember], *, by: User | str, at: datetime) -> list[Outcome]:
    """End the open invitation of each of these people; unchanged for who has none."""
    open_ones = Invitation.objects.filter(
        member__in=[member.pk for member in members], accepted_at=None, revoked_at=None
    )
    ended = {invitation.member_id: invitation for invitation in open_ones}
    Invitation.objects.filter(pk__in=[invitation.pk for invitation in ended.values()]).update(revoked_at=at)
    entries = [
        audit.Entry(KIND, member.pk, member.name, {"email": ended[member.pk].email}, {}, member.tenant_id)
        for member in members
        if member.pk in ended and ended[member.pk].is_open(at)
    ]
    audit.record("staff.invitation_revoked", entries, by=by, at=at)
    return [outcomes.of(m.pk, None if m.pk in ended else Reason.NOT_INVITED) for m in members]


def newest(member_ids: Sequence[int]) -> dict[int, Invitation]:
    """Return the newest invitation of each of these people, whatever became of it; one query."""
    rows = Invitation.objects.filter(member__in=member_ids).order_by("member", "-pk").distinct("member")
    return {invitation.member_id: invitation for invitation in rows}


def fingerprint(token: str) -> str:
    """Return what is kept of a link's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def tenant_of(token_hash: str) -> int | None:
    """Return the tenant whose invitation this is, before any is announced; None if there is no such link."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT invitation_tenant(%s)", [token_hash])
        found = cursor.fetchone()[0]
    return int(found) if found else None


def offer(token_hash: str, *, at: datetime) -> Offer:
    """Return what this link of the announced tenant offers; raise NotValid. Changes nothing."""
    invitation = Invitation.objects.select_related("member").filter(token_hash=token_hash).first()
    if invitation is None or not invitation.is_open(at) or invitation.member.state != StaffState.ACTIVE:
        raise NotValid
    person = User.objects.filter(email=invitation.email).first()
    if person and not person.is_active:
        raise NotValid
    name = Tenant.objects.values_list("name", flat=True).get(pk=current())
    return Offer(invitation, name, bool(person and person.has_usable_password()))


def accept(token_hash: str, *, user: User | None, name: str = "", password: str = "", at: datetime) -> User:
    """Use up a link of the announced tenant: its address becomes a login with the role chosen, linked to the person.

    `user` is who is signed in and must be the one invited; without one the address may not have a login yet, and gets
    one with this name and password. Returns who may now sign in; raises NotValid.
    """
    found = Invitation.objects.filter(token_hash=token_hash).values_list("member", flat=True).first()
    members = StaffMember.objects.locked([found] if found else [])  # two who use the link at once wait in turn
    if not members:
        raise NotValid
    offered = offer(token_hash, at=at)
    member, invitation = members[0], offered.invitation
    if user is None:
        if offered.signs_in or not password:
            raise NotValid
        user = _new_login(invitation.email, name or member.name, password, member.language)
    elif user.email != invitation.email:
        raise NotValid
    Invitation.objects.filter(pk=invitation.pk).update(accepted_at=at)
    membership = memberships.give(user, Role(invitation.role), by=user, at=at)
    member.user = user
    member.save(update_fields=["user"])
    entry = audit.Entry(KIND, member.pk, member.name, {}, {"role": membership.role}, member.tenant_id)
    audit.record("staff.invitation_accepted", [entry], by=user, at=at)
    if invitation.by:
        messages.answer("accepted", invitation.by, at=at, person=member.name, email=user.email)
    return user


def _invite(member: LockedMember, role: Role, by: User | str, at: datetime) -> Reason | None:
    if reason := _obstacle(member, at):
        return reason
    Invitation.objects.filter(member=member, accepted_at=None, revoked_at=None).update(revoked_at=at)
    token = secrets.token_urlsafe(32)
    invitation = Invitation(
        member=member,
        email=member.address,
        role=role,
        token_hash=fingerprint(token),
        by=by if isinstance(by, User) else None,
        created_at=at,
        expires_at=at + VALID,
    )
    invitation.save()
    entry = audit.Entry(KIND, member.pk, member.name, {}, {"email": member.address, "role": role}, member.tenant_id)
    audit.record("staff.invited", [entry], by=by, at=at)
    with translation.override(member.language):
        until = date_format(timezone.localtime(invitation.expires_at), "DATETIME_FORMAT")
    url = settings.PORTAL_URL + reverse("staff:open_invitation", args=[token])
    messages.tell("invitation", member, at=at, invited_by=str(by), url=url, valid_until=until)
    return None


def _obstacle(member: LockedMember, at: datetime) -> Reason | None:
    if member.state != StaffState.ACTIVE:
        return Reason.HAS_LEFT if member.state == StaffState.LEFT else Reason.IS_LOCKED
    if not member.address:
        return Reason.NO_EMAIL
    if Membership.objects.filter(tenant_id=member.tenant_id, user__email=member.address).exists():
        return Reason.HAS_LOGIN if member.user_id else Reason.ADDRESS_HAS_LOGIN
    lately = Invitation.objects.filter(member=member, created_at__gt=at - timedelta(days=1)).count()
    return Reason.INVITED_TOO_OFTEN if lately >= MOST_A_DAY else None


def _new_login(email: str, name: str, password: str, language: str) -> User:
    """Return the login for an address that the link has proven, made or completed."""
    person = tenants.person_with(email, name)
    if person.has_usable_password():
        raise NotValid
    person.name, person.language = name, language
    person.set_password(password)
    person.save(update_fields=["name", "language", "password"])
    return person
