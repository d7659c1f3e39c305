"""What a page shows before the state of a number changes (rules L1, L4 and L6). Nothing here changes anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import ngettext

from billing import prices
from billing.prices import Quote
from billing.written import euros, percent
from numbers import attachments
from numbers.models import NumberState, PhoneNumber
from numbers.outcomes import SENTENCES, Reason
from portal import berlin

# Why a verb has nothing to do for a number, by its state; what is missing here can be done.
OBSTACLES = {
    "activate": {NumberState.ACTIVE: Reason.ALREADY_ACTIVE},
    "deactivate": {
        NumberState.DEACTIVATION_SCHEDULED: Reason.ALREADY_SCHEDULED,
        NumberState.INACTIVE: Reason.NOT_ACTIVE,
    },
    "withdraw": {NumberState.ACTIVE: Reason.NOT_SCHEDULED, NumberState.INACTIVE: Reason.ALREADY_INACTIVE},
}
_ALWAYS = {
    NumberState.PORT_IN_PENDING: Reason.PORTING,
    NumberState.RETURNED: Reason.GONE,
    NumberState.PORTED_OUT: Reason.GONE,
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What a verb would do to one number now.

    `obstacle` is the sentence why it would do nothing, or empty. `quote` is the price of an activation, None where none
    is charged. `last_active_on` is the last day in service, `stops` what then stops working; `is_last` warns that no
    other number of the tenant would stay in service.
    """

    state: NumberState
    obstacle: str = ""
    quote: Quote | None = None
    last_active_on: date | None = None
    stops: Sequence[str] = ()
    is_last: bool = False

    @property
    def inactive_from(self) -> date | None:
        return berlin.inactive_from(self.last_active_on).date() if self.last_active_on else None


def obstacle(verb: str, state: NumberState) -> Reason | None:
    """Return why a verb has nothing to do in this state, or None."""
    return (_ALWAYS | OBSTACLES[verb]).get(state)


def preview(verb: str, number: PhoneNumber, *, at: datetime) -> Preview:
    """Return what activating, deactivating or withdrawing would do to this number now."""
    state = number.state_at(at)
    if reason := obstacle(verb, state):
        return Preview(state, str(SENTENCES[reason]), last_active_on=number.works_until(at))
    if verb == "activate" and state == NumberState.INACTIVE:
        return Preview(state, quote=prices.quote(number.price_class, on=berlin.day(at)))
    if verb == "deactivate":
        return Preview(
            state,
            last_active_on=berlin.end_of_following_month(at),
            stops=[hanging.sentence for hanging in attachments.describe([number], by_swap=False, at=at)],
            is_last=not PhoneNumber.objects.unscheduled(at).exclude(pk=number.pk).exists(),
        )
    return Preview(state, last_active_on=number.last_active_on)


def written(quote: Quote, *, count: int = 1) -> dict[str, str]:
    """Return what activating so many numbers at this price costs, as the page writes it; the order fee is not part."""
    days = (berlin.next_month(quote.on) - quote.on).days
    monthly, first_month = quote.monthly * count, quote.first_month * count
    return {
        "vat": percent(quote.vat_rate),
        "monthly": euros(monthly),
        "monthly_gross": euros(prices.gross(monthly, quote.vat_rate)),
        "first_month": euros(first_month),
        "first_month_gross": euros(prices.gross(first_month, quote.vat_rate)),
        "days": ngettext("%(days)s day", "%(days)s days", days) % {"days": days},
    }
