"""What became of one person in an operation, and why (rule G2: the reason, and what to do next)."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.memberships import LastAdministrator
from portal.outcomes import Result


class Reason(StrEnum):
    """Why somebody was left as they were; `SENTENCES` says it to people."""

    ALREADY_LOCKED = "already_locked"
    NOT_LOCKED = "not_locked"
    HAS_LEFT = "has_left"
    NOT_LEFT = "not_left"
    IS_LOCKED = "is_locked"
    HOLDS_NUMBERS = "holds_numbers"
    LAST_ADMINISTRATOR = "last_administrator"
    YOURSELF = "yourself"
    NO_EMAIL = "no_email"
    HAS_LOGIN = "has_login"
    NO_LOGIN = "no_login"
    ADDRESS_HAS_LOGIN = "address_has_login"
    NOT_INVITED = "not_invited"
    INVITED_TOO_OFTEN = "invited_too_often"
    SAME_ROLE = "same_role"
    NOTHING_NEW = "nothing_new"


SENTENCES: dict[Reason, Promise] = {
    Reason.ALREADY_LOCKED: _("This person is already locked. Nothing was changed."),
    Reason.NOT_LOCKED: _("This person is not locked. Nothing was changed."),
    Reason.HAS_LEFT: _("This person has left. To employ them again, create a new staff member."),
    Reason.NOT_LEFT: _("This person has not left. Remove them first."),
    Reason.IS_LOCKED: _("This person is locked. Unlock them first."),
    Reason.HOLDS_NUMBERS: _("This person still holds phone numbers. Decide first what becomes of each number."),
    Reason.LAST_ADMINISTRATOR: LastAdministrator.reason,
    Reason.YOURSELF: _("You cannot do this to yourself. Please ask another administrator."),
    Reason.NO_EMAIL: _("This person has no e-mail address. Enter one first; the invitation is sent there."),
    Reason.HAS_LOGIN: _("This person has a login already, so no invitation is needed."),
    Reason.NO_LOGIN: _("This person has no login, and so no role. Invite them first."),
    Reason.ADDRESS_HAS_LOGIN: _(
        "Somebody else in your company signs in with this address. Please enter this person's own address."
    ),
    Reason.NOT_INVITED: _("There is no open invitation. Nothing was changed."),
    Reason.INVITED_TOO_OFTEN: _("This person was invited five times in 24 hours. Please try again tomorrow."),
    Reason.SAME_ROLE: _("This person has that role already. Nothing was changed."),
    Reason.NOTHING_NEW: _("Nothing was different, so nothing was changed."),
}

# Nothing had to be done: what was asked for is so already.
SETTLED = frozenset(
    {
        Reason.ALREADY_LOCKED,
        Reason.NOT_LOCKED,
        Reason.SAME_ROLE,
        Reason.NOTHING_NEW,
        Reason.HAS_LOGIN,
        Reason.NOT_INVITED,
    }
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one staff member."""

    member_id: int
    result: Result
    reason: Reason | None = None

    @property
    def sentence(self) -> str:
        """Return the reason as a sentence in the reader's language, or an empty text if it was done."""
        return str(SENTENCES[self.reason]) if self.reason else ""


def done(member_id: int) -> Outcome:
    return Outcome(member_id, Result.DONE)


def unchanged(member_id: int, reason: Reason) -> Outcome:
    return Outcome(member_id, Result.UNCHANGED, reason)


def refused(member_id: int, reason: Reason) -> Outcome:
    return Outcome(member_id, Result.REFUSED, reason)


def of(member_id: int, reason: Reason | None) -> Outcome:
    """Return the outcome for a reason: none means done; some mean that nothing had to be done."""
    if reason is None:
        return done(member_id)
    return unchanged(member_id, reason) if reason in SETTLED else refused(member_id, reason)
