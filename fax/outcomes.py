"""What became of one recipient of credentials, and why not (rule G2: the reason, and what to do next)."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.outcomes import Result


class Reason(StrEnum):
    """Why somebody is sent no credentials; `SENTENCES` says it to people."""

    NO_EMAIL = "no_email"
    NO_LOGIN = "no_login"
    NOT_HERE = "not_here"
    NOT_ASSIGNEE = "not_assignee"
    TOO_OFTEN = "too_often"


SENTENCES: dict[Reason, Promise] = {
    Reason.NO_EMAIL: _("No e-mail address. Enter one on this person's page first."),
    Reason.NO_LOGIN: _("No login to open the link with. Invite this person first."),
    Reason.NOT_HERE: _("This person is locked or has left."),
    Reason.NOT_ASSIGNEE: _("This is the personal fax number of somebody else."),
    Reason.TOO_OFTEN: _("Five mails were sent in 24 hours. Please try again tomorrow."),
}


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


def of(member_id: int, reason: Reason | None) -> Outcome:
    """Return the outcome for a reason; none means done."""
    return Outcome(member_id, Result.REFUSED if reason else Result.DONE, reason)
