"""The temporary number of a port order, and the ported one that waits to take its place (rules P6 and S1)."""

from dataclasses import dataclass
from datetime import datetime

from numbers import messages, porting, swap
from numbers.models import NumberState, PhoneNumber, PortOrder, PortState
from numbers.outcomes import Reason


@dataclass(frozen=True, slots=True)
class Waiting:
    """A ported number that waits, inactive, to take the place of a temporary one.

    `how` it comes to that: "swap" at once, "scheduled" once the temporary number's deactivation is withdrawn, "gone"
    not at all, for the temporary number cannot be replaced any more.
    """

    old: PhoneNumber
    new: PhoneNumber
    how: str

    @property
    def words(self) -> dict[str, str]:
        """What `numbers/porting/waiting.txt` says, in mails and on the page."""
        return {"temporary": messages.display(self.old), "waiting": messages.display(self.new), "how": self.how}


def waiting(order: PortOrder, *, at: datetime) -> Waiting | None:
    """Return what waits to be swapped since the order was completed, or None if nothing does (any more)."""
    if order.state != PortState.COMPLETED or not order.temporary_id or porting.was_replaced(order):
        return None
    rows = PhoneNumber.objects.select_related("area")
    old = rows.filter(pk=order.temporary_id).first()
    new = rows.held().filter(e164=porting.main_number(order)).first()
    if old is None or new is None or new.state_at(at) != NumberState.INACTIVE:
        return None
    return Waiting(old, new, _how(old, new, at=at))


def _how(old: PhoneNumber, new: PhoneNumber, *, at: datetime) -> str:
    kept = swap.refusal_of_old(old, at=at) or swap.refusal(old, new)
    if kept is None:
        return "swap"
    return "scheduled" if kept.reason == Reason.OLD_SCHEDULED else "gone"
