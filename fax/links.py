"""The one-time link of a mail: shows the secret of a fax printer, once, to whom it is for (rule F3).

Looking at the link uses nothing up, so scanners of mail may look; only a POST of the signed-in person does.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from fax import access, mailing, revoking
from fax.models import FaxCredential, FaxMail
from numbers.models import PhoneNumber
from portal import audit
from portal.models import User

UNKNOWN = _("The link does not exist, or it is for somebody else. Sign in as the person the mail was sent to.")
USED = _("The link was used already: it works once. If that was not you, tell your administrator at once.")
REPLACED = _("A newer mail has replaced this link. Please use the link in the latest mail.")
EXPIRED = _("The link is older than 72 hours.")
REVOKED = _("Your access to this fax number was revoked.")
STOPPED = _("Faxes can no longer be sent from this number: it is inactive, or it is no longer yours.")


class NotValid(LookupError):
    """The link shows nothing; `reason` says why, for people."""

    def __init__(self, reason: Promise) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Shown:
    """Credentials with their secret, at the only moment when it is known."""

    credential: FaxCredential
    secret: str


def tenant_of(token_hash: str) -> int | None:
    """Return the tenant whose link this is, before any is announced; None if there is no such link."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT fax_mail_tenant(%s)", [token_hash])
        found = cursor.fetchone()[0]
    return int(found) if found else None


def offer(token_hash: str, *, user: User, at: datetime) -> FaxMail:
    """Return the mail whose link this is, number and person loaded; raise NotValid. Changes nothing."""
    rows = FaxMail.objects.select_related("credential__number__area", "credential__staff_member")
    mail: FaxMail | None = rows.filter(token_hash=token_hash, plain=False).first()
    if mail is None or mail.credential.staff_member.user_id != user.pk:
        raise NotValid(UNKNOWN)
    reasons = (
        (mail.opened_at is not None, USED),
        (mail.credential.revoked_at is not None, REVOKED),
        (mail.ended_at is not None, REPLACED),
        (at >= mail.expires_at, EXPIRED),
        (not access.may_send(mail.credential.number, mail.credential.staff_member, at=at), STOPPED),
    )
    for stands, reason in reasons:
        if stands:
            raise NotValid(reason)
    return mail


def show(token_hash: str, *, user: User, at: datetime) -> Shown:
    """Use a link up: make a new secret and return it, the only time it is known. Raises NotValid. Rule F3."""
    number_id = offer(token_hash, user=user, at=at).credential.number_id
    PhoneNumber.objects.locked([number_id])  # two who use the link at once wait in turn, and so does a revocation
    mail = offer(token_hash, user=user, at=at)
    secret = mailing.renew(mail.credential, at=at)
    FaxMail.objects.filter(pk=mail.pk).update(opened_at=at)
    number = mail.credential.number
    entry = audit.Entry("number", number.pk, number.e164, {}, revoking.named(mail.credential), mail.tenant_id)
    audit.record("number.fax_shown", [entry], by=user, at=at)
    return Shown(mail.credential, secret)
