"""What became of one number in an operation: done, unchanged, or refused with a reason that has a name (rule G3)."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.outcomes import Result as Result


class Reason(StrEnum):
    """Why a number was left as it is; `SENTENCES` says it to people, with what to do next."""

    ALREADY_ACTIVE = "already_active"
    ALREADY_SCHEDULED = "already_scheduled"
    NOT_ACTIVE = "not_active"
    NOT_SCHEDULED = "not_scheduled"
    ALREADY_INACTIVE = "already_inactive"
    PORTING = "porting"
    GONE = "gone"
    SAME_NUMBER = "same_number"
    OTHER_PRICE_CLASS = "other_price_class"
    OLD_NOT_ACTIVE = "old_not_active"
    OLD_SCHEDULED = "old_scheduled"
    NEW_NOT_INACTIVE = "new_not_inactive"
    ALREADY_SWAPPED = "already_swapped"
    PRICE_CHANGED = "price_changed"
    DATE_CHANGED = "date_changed"
    FAILED = "failed"
    NOT_ASSIGNABLE = "not_assignable"
    PERSON_LOCKED = "person_locked"
    PERSON_LEFT = "person_left"
    INACTIVE_BY_THEN = "inactive_by_then"
    ALREADY_ASSIGNED = "already_assigned"
    ALREADY_PLANNED = "already_planned"
    NOT_ASSIGNED = "not_assigned"
    NO_HANDOVER = "no_handover"
    HANDOVER_AHEAD = "handover_ahead"
    SEVERAL_HOLDERS = "several_holders"
    STILL_ACTIVE = "still_active"
    LEAVING = "leaving"


SENTENCES: dict[Reason, Promise] = {
    Reason.ALREADY_ACTIVE: _("The number is already active. Nothing was changed and nothing is charged."),
    Reason.ALREADY_SCHEDULED: _("A deactivation is already scheduled; the first date stays."),
    Reason.NOT_ACTIVE: _("The number is not active, so it cannot be deactivated."),
    Reason.NOT_SCHEDULED: _("No deactivation is scheduled for this number; there is nothing to withdraw."),
    Reason.ALREADY_INACTIVE: _("The deactivation has taken effect; to use the number again, activate it."),
    Reason.PORTING: _("The number is being ported. It can be changed once the porting has finished."),
    Reason.GONE: _("The number no longer belongs to your inventory."),
    Reason.SAME_NUMBER: _("Old and new number are the same. Please choose two different numbers."),
    Reason.OTHER_PRICE_CLASS: _("The two numbers have different prices. A swap needs two numbers of the same price."),
    Reason.OLD_NOT_ACTIVE: _("The number to be replaced is not active. Please choose an active number."),
    Reason.OLD_SCHEDULED: _(
        "A deactivation is scheduled for the number to be replaced. Withdraw it first, then swap the numbers."
    ),
    Reason.NEW_NOT_INACTIVE: _("The new number is already in use. Please choose an inactive number."),
    Reason.PRICE_CHANGED: _("The price changed meanwhile. Please look at the new price and confirm again."),
    Reason.DATE_CHANGED: _("The date changed meanwhile. Please look at the new date and confirm again."),
    Reason.FAILED: _("Something went wrong with this number, so it was left as it is. Please call our hotline."),
    Reason.NOT_ASSIGNABLE: _("Only active numbers can be assigned. Activate the number first, then assign it."),
    Reason.PERSON_LOCKED: _("This person is locked. Unlock them first, or choose somebody else."),
    Reason.PERSON_LEFT: _("This person no longer belongs to your staff. Please choose somebody else."),
    Reason.INACTIVE_BY_THEN: _(
        "The number is inactive by then. Choose an earlier day, or withdraw its deactivation first."
    ),
    Reason.ALREADY_ASSIGNED: _("The number is assigned to this person already. Nothing was changed."),
    Reason.ALREADY_PLANNED: _("This hand-over is planned already. Nothing was changed."),
    Reason.NOT_ASSIGNED: _("The number is not assigned to anybody this could be taken from. Nothing was changed."),
    Reason.NO_HANDOVER: _("No hand-over is planned for this number any more. Nothing was changed."),
    Reason.HANDOVER_AHEAD: _("A hand-over is planned for this number. Withdraw it first, then change the usage."),
    Reason.SEVERAL_HOLDERS: _(
        "Several people have this shared fax. Remove all but one of them first, then change the usage."
    ),
    Reason.STILL_ACTIVE: _("The number is still active. Deactivate it first; it can be returned once it is inactive."),
    Reason.LEAVING: _("Another provider takes this number over soon. Please choose another number."),
    Reason.ALREADY_SWAPPED: _("These two numbers have already been swapped. Nothing was changed."),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one number."""

    number_id: int
    result: Result
    reason: Reason | None = None

    @property
    def sentence(self) -> str:
        """Return the reason as a sentence in the reader's language, or an empty text if it was done."""
        return str(SENTENCES[self.reason]) if self.reason else ""


def done(number_id: int) -> Outcome:
    return Outcome(number_id, Result.DONE)


def unchanged(number_id: int, reason: Reason) -> Outcome:
    return Outcome(number_id, Result.UNCHANGED, reason)


def refused(number_id: int, reason: Reason) -> Outcome:
    return Outcome(number_id, Result.REFUSED, reason)
