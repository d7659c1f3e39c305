"""What the dialog of an assignment shows: who has the number, and what goes with them (rules A2 and A8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from numbers import attachments, detail, holders, purge
from numbers.detail import Rule
from numbers.holders import Holder
from numbers.models import NumberState, PhoneNumber, Usage
from numbers.outcomes import SENTENCES, Reason


@dataclass(frozen=True, slots=True)
class Preview:
    """Who has a number now and later; `obstacle` is the sentence why it cannot be assigned, or empty.

    `lost` are the number's forwardings and rights, which go when it changes hands; `stays` are the forwardings of one
    that nobody has, such as those set up when its last holder left (rule A4), which go on; `stays_until` says whether
    one of these has a last day. `interval` is the present assignment of the one holder and `calls` what a purge of it
    would delete (rule T1); a shared fax has none, for its calls are everybody's.
    """

    obstacle: str
    present: list[Holder]
    ahead: list[Holder]
    shared: bool
    lost: list[str]
    stays: list[str]
    interval: int | None = None
    calls: purge.Preview | None = None
    stays_until: bool = False

    @property
    def holding_ids(self) -> tuple[int, ...]:
        return tuple(holder.staff_member_id for holder in self.present)

    @property
    def may_be_emptied(self) -> bool:
        return bool(self.present) and not self.shared


OBSTACLES = {
    NumberState.INACTIVE: Reason.NOT_ASSIGNABLE,
    NumberState.PORT_IN_PENDING: Reason.PORTING,
    NumberState.RETURNED: Reason.GONE,
    NumberState.PORTED_OUT: Reason.GONE,
}


def preview(number: PhoneNumber, *, rules: Sequence[Rule] | None = None, at: datetime) -> Preview:
    """Return what the dialog shows about a number now; `rules` are its forwardings if whoever calls knows them."""
    reason = OBSTACLES.get(number.state_at(at))
    holding = holders.of_number(number, at=at)
    shared = number.usage == Usage.FAX_SHARED
    if shared:  # nobody loses or keeps forwardings there
        rules = []
    elif rules is None:
        rules = detail.rules_of([number], at=at)[number.pk]
    forwarded = [f"{rule.case}: {rule.text}" for rule in rules]
    rights = attachments.rights([number], at=at) if holding.present and not shared else []
    own = None if shared else holders.present(at).filter(number=number).order_by("-from_at").first()
    return Preview(
        str(SENTENCES[reason]) if reason else "",
        holding.present,
        holding.ahead,
        shared,
        [*forwarded, *(right.sentence for right in rights)] if holding.present else [],
        [] if holding.present else forwarded,
        own.pk if own else None,
        purge.preview(own, at=at) if own else None,
        any(rule.ends for rule in rules),
    )
