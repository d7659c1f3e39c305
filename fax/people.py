"""Who can be sent a number's fax credentials, and what became of those that were sent: for the pages."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import QuerySet

from fax import access, mailing, outcomes
from fax import settings as of_fax
from fax.models import FaxCredential, FaxMail
from numbers import messages, people_choices
from numbers.models import PhoneNumber, Usage
from portal.models import OutboxMessage
from staff.models import StaffMember

OFFERED = 50  # more people than that nobody reads; the search narrows them


@dataclass(frozen=True, slots=True)
class Choice:
    """A person as the window offers them; `obstacle` says why they cannot be chosen, or is empty."""

    member_id: int
    name: str
    text: str
    obstacle: str
    belongs: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """Whom the window offers; `fixed` is the one whose personal fax it is, `more` that a search would bring others."""

    people: list[Choice]
    fixed: bool
    more: bool


class Mail(StrEnum):
    """What became of the last mail."""

    WAITING = "waiting"
    TRYING = "trying"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody's access to a number: what became of the last mail, of its link, and when it was used.

    `reason` is what the mail server said; `state` is one of: waiting, trying, failed, sent, expired, shown, used,
    revoked; `revoked_at` is when the access ended, or None while it stands. `can_send`: they may be sent credentials,
    as far as the number says who has it: a personal fax is its assignee's.
    """

    credential: FaxCredential
    number: str
    name: str
    mail: FaxMail | None
    sent: Mail | None
    sent_at: datetime | None
    reason: str
    state: str
    revoked_at: datetime | None
    can_send: bool

    @property
    def pending(self) -> bool:
        """Return whether the next minutes will tell."""
        return self.sent == Mail.WAITING and self.state != "revoked"


def choices(number: PhoneNumber, *, term: str = "", keep: Iterable[str] | None = None, at: datetime) -> Choices:
    """Return whom a number's credentials can be sent to: the assignee of a personal fax, anybody for a shared one.

    Who belongs to the number comes first. `keep` are those chosen already, as a form says it; None is for a new
    window, in which everybody who belongs to the number is chosen.
    """
    plain = of_fax.of_tenant().plain_mail
    mine = access.assignees(number, at=at)
    if number.usage == Usage.FAX_PERSONAL:
        found = list(StaffMember.objects.filter(pk__in=mine).select_related("user"))
        return Choices([_choice(m, mine, {m.pk}, plain=plain) for m in found], fixed=True, more=False)
    kept = set(mine) if keep is None else {int(t) for t in keep if t.isascii() and t.isdecimal() and len(t) < 19}
    first = StaffMember.objects.active().filter(pk__in={*mine, *kept}).select_related("user").order_by("sort_key", "pk")
    others = people_choices.matching(term).exclude(pk__in={*mine, *kept}).select_related("user")
    more = list(others.order_by("sort_key", "pk")[: OFFERED + 1])
    people = [*first, *more[:OFFERED]]
    return Choices([_choice(m, mine, kept, plain=plain) for m in people], fixed=False, more=len(more) > OFFERED)


def _choice(member: StaffMember, mine: Sequence[int], chosen: set[int], *, plain: bool) -> Choice:
    reason = mailing.why_not(member, plain=plain)
    return Choice(
        member.pk,
        member.name,
        " · ".join(part for part in (member.department, member.address) if part),
        str(outcomes.SENTENCES[reason]) if reason else "",
        member.pk in mine,
        member.pk in chosen and reason is None,
    )


def of_number(number: PhoneNumber, *, at: datetime) -> list[Row]:
    """Return who has or had access to a number, each once, the newest that there was; three queries."""
    newest = FaxCredential.objects.filter(number=number).order_by("staff_member", "-pk").distinct("staff_member")
    only = access.assignees(number, at=at) if number.usage == Usage.FAX_PERSONAL else None
    return sorted(
        _rows(newest, only, at=at), key=lambda row: (row.state == "revoked", row.credential.staff_member.sort_key)
    )


def of_member(member: StaffMember, *, at: datetime) -> list[Row]:
    """Return which numbers a person has or had access to, each once; three queries."""
    newest = FaxCredential.objects.filter(staff_member=member).order_by("number", "-pk").distinct("number")
    return sorted(_rows(newest, (), at=at), key=lambda row: (row.state == "revoked", row.number))


def _rows(found: "QuerySet[FaxCredential]", only: Collection[int] | None, *, at: datetime) -> list[Row]:
    credentials = list(found.select_related("number__area", "staff_member"))
    latest = FaxMail.objects.filter(credential__in=[c.pk for c in credentials]).order_by("credential", "-pk")
    mails = {mail.credential_id: mail for mail in latest.distinct("credential")}
    keys = [mail.key for mail in mails.values()]
    sent = {m.key: m for m in OutboxMessage.objects.filter(tenant__in={c.tenant_id for c in credentials}, key__in=keys)}
    rows = [_row(c, mails.get(c.pk), sent, at=at) for c in credentials]
    return [replace(row, can_send=only is None or row.credential.staff_member_id in only) for row in rows]


def _row(credential: FaxCredential, mail: FaxMail | None, sent: Mapping[UUID, OutboxMessage], *, at: datetime) -> Row:
    message = sent.get(mail.key) if mail else None
    became = _became(mail, message)
    return Row(
        credential,
        messages.display(credential.number),
        credential.staff_member.name,
        mail,
        became,
        (message and message.sent_at) or (mail and mail.created_at) or None,
        message.error.partition(chr(10))[0][:200] if message else "",
        _state(credential, mail, became, at=at),
        credential.ended_at(at),
        can_send=False,
    )


def _became(mail: FaxMail | None, message: OutboxMessage | None) -> Mail | None:
    if mail is None:
        return None
    if mail.opened_at or message is None or message.state == OutboxMessage.State.SENT:
        return Mail.SENT  # sent mails are forgotten after 90 days; a link that was opened has arrived
    if message.state == OutboxMessage.State.DEAD:
        return Mail.FAILED
    return Mail.TRYING if message.error else Mail.WAITING


def _state(credential: FaxCredential, mail: FaxMail | None, became: Mail | None, *, at: datetime) -> str:
    if credential.ended_at(at):
        return "revoked"
    if became and became != Mail.SENT:
        return str(became)
    if mail and mail.is_open(at):
        return "sent"
    if mail and not mail.plain and mail.opened_at is None:
        return "expired"
    return "used" if credential.last_used_at else "shown"
