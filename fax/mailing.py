"""Mailing people the credentials of a number's fax printer (rules F1 to F4).

| mail      | holds                                 | the secret is made when |
|-----------|---------------------------------------|-------------------------|
| ordinary  | a link: 72 hours, once, after sign-in | the link is opened      |
| plain     | the secret itself                     | the mail is written     |

Sending again is the same: an earlier link ends, and with the new secret the previous one ends as `renew` says. Numbers
are locked before staff members, always.
"""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from fax import access, keys, outcomes, revoking, setup
from fax import settings as of_fax
from fax.models import FaxCredential, FaxMail
from fax.outcomes import Outcome, Reason
from numbers.messages import display
from numbers.models import LockedNumber, NumberState, PhoneNumber, Usage
from portal import audit, outbox, sealing
from portal.models import Tenant, User
from portal.refusals import Refused
from staff.models import LockedMember, StaffMember, StaffState

VALID = timedelta(hours=72)
OVERLAP = timedelta(hours=24)  # how long the previous secret works beside an unused new one
MOST_A_DAY = 5  # to one person for one number: nobody's mailbox is filled from here


class SendRefused(Refused):
    """No credentials of this number can be sent; `reason` says why, for people."""


def obstacle(number: PhoneNumber, *, at: datetime) -> Promise | None:
    """Return the sentence why nobody can be sent credentials of this number, or None."""
    if number.state == NumberState.PORT_IN_PENDING:
        return _("This number is still being ported to you. Send the credentials once it is active.")
    if number.state_at(at) == NumberState.INACTIVE:
        return _("This number is inactive. Activate it first, then send the credentials.")
    if not access.is_fax(number, at=at):
        return _("This number is not used for fax. Choose “Personal fax” or “Shared fax” as its usage first.")
    if number.usage == Usage.FAX_PERSONAL and not access.assignees(number, at=at):
        return _("This personal fax number is not assigned to anybody. Assign it first, then send the credentials.")
    return None


def send(number: LockedNumber, members: Sequence[LockedMember], *, by: User, at: datetime) -> list[Outcome]:
    """Mail each of these people their credentials of a number (`area` loaded), for the first time or anew.

    Returns one outcome per person: done or refused (no address, no login for the link, locked, left, not the one whose
    personal fax it is, mailed too often). Raises SendRefused when the number has none to give.
    """
    if reason := obstacle(number, at=at):
        raise SendRefused(reason)
    plain = of_fax.of_tenant().plain_mail
    only = set(access.assignees(number, at=at)) if number.usage == Usage.FAX_PERSONAL else None
    known = {c.staff_member_id: c for c in revoking.standing([number])}
    found = []
    for member in members:
        stands = known.get(member.pk)
        refusal = _obstacle(member, only, stands, plain=plain, at=at)
        if refusal is None:
            _send(stands or _begin(number, member, at), number, member, plain=plain, by=by, at=at)
        found.append(outcomes.of(member.pk, refusal))
    return found


def why_not(member: StaffMember, *, plain: bool) -> Reason | None:
    """Return why a person cannot be chosen at all, whatever the number."""
    if member.state != StaffState.ACTIVE:
        return Reason.NOT_HERE
    if not member.address:
        return Reason.NO_EMAIL
    return Reason.NO_LOGIN if not plain and member.user_id is None else None


def renew(credential: FaxCredential, *, at: datetime) -> str:
    """Give credentials a new secret and return it: the only time it is known.

    The previous one works until the new one is used, at the latest for 24 hours; a secret that was shown and never used
    gives way to the one in use before it.
    """
    secret = keys.new_secret()
    in_use = credential.previous_until is not None and at < credential.previous_until
    if credential.secret_hash and not in_use:
        credential.previous_hash, credential.previous_until = credential.secret_hash, at + OVERLAP
    credential.secret_hash, credential.shown_at = keys.hashed(secret, credential), at
    credential.save(update_fields=["secret_hash", "previous_hash", "previous_until", "shown_at"])
    return secret


def _obstacle(
    member: LockedMember, only: set[int] | None, stands: FaxCredential | None, *, plain: bool, at: datetime
) -> Reason | None:
    if only is not None and member.pk not in only:
        return Reason.NOT_ASSIGNEE
    if reason := why_not(member, plain=plain):
        return reason
    lately = FaxMail.objects.filter(credential=stands, created_at__gt=at - timedelta(days=1)).count() if stands else 0
    return Reason.TOO_OFTEN if lately >= MOST_A_DAY else None


def _begin(number: LockedNumber, member: LockedMember, at: datetime) -> FaxCredential:
    credential = FaxCredential(
        tenant_id=number.tenant_id,
        number=number,
        staff_member=member,
        username=keys.new_username(),
        created_at=at,
    )
    credential.save()
    return credential


def _send(
    credential: FaxCredential, number: LockedNumber, member: LockedMember, *, plain: bool, by: User, at: datetime
) -> None:
    FaxMail.objects.filter(credential=credential, opened_at=None, ended_at=None).update(ended_at=at)
    token = "" if plain else keys.new_token()
    mail = FaxMail(
        tenant_id=credential.tenant_id,
        credential=credential,
        key=uuid4(),
        recipient=member.address,
        plain=plain,
        token_hash=keys.fingerprint(token) if token else "",
        by=by,
        created_at=at,
        expires_at=at + VALID,
    )
    mail.save()
    after = {"staff_member": member.name, "staff_member_id": member.pk, "email": member.address}
    after |= {"username": credential.username} | ({"plain": True} if plain else {})
    entry = audit.Entry("number", number.pk, number.e164, {}, after)
    audit.record("number.fax_sent", [entry], by=by, at=at, tenant_id=number.tenant_id)
    said = _plain(credential, number, at=at) if plain else _link(mail, token, member)
    shown = {"name": member.name, "number": display(number), "sent_by": str(by)}
    shown |= {"tenant": Tenant.objects.values_list("name", flat=True).get(pk=number.tenant_id)}
    template = "fax/access_plain" if plain else "fax/access"
    shown |= said
    letter = outbox.Mail(member.address, member.mail_language, template, shown, number.tenant_id, mail.key)
    outbox.later([letter], at=at)


def _link(mail: FaxMail, token: str, member: StaffMember) -> dict[str, Any]:
    with translation.override(member.mail_language):
        until = date_format(timezone.localtime(mail.expires_at), "DATETIME_FORMAT")
    return {"url": settings.PORTAL_URL + reverse("fax:open", args=[token]), "valid_until": until}


def _plain(credential: FaxCredential, number: PhoneNumber, *, at: datetime) -> dict[str, Any]:
    """Return what the mail shows; the secret is sealed, for the outbox is in every dump until the mail has gone."""
    about = f"fax:{credential.tenant_id}:{credential.username}"
    sealed = sealing.seal(renew(credential, at=at).encode(), about=about)
    said = {"username": credential.username, "uri": setup.printer(number).uri}
    return said | {"sealed": base64.b64encode(sealed).decode(), "about": about}
