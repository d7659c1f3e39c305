"""The itemised bill as a file: the rows of its page, once more (rules N4 and T5)."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from billing import written
from numbers.calls import Call
from portal import cells
from portal.cells import BOM, table


def csv(calls: Sequence[Call]) -> str:
    """Return calls as CSV text in the present language; numbers keep their plus and zeros in a spreadsheet."""
    titles = [
        *(_("Day"), _("Time"), _("Own number"), _("Direction"), _("Other number")),
        *(_("Seconds"), _("Result"), _("Net cost (EUR)")),
    ]
    return BOM + table([titles, *(_line(call) for call in calls)])


def _line(call: Call) -> list[str]:
    at = localtime(call.at)
    return [
        f"{at:%Y-%m-%d}",
        f"{at:%H:%M:%S}",
        cells.number(call.e164),
        call.direction,
        cells.number(call.peer_e164) if call.peer_e164 else call.peer,
        str(call.seconds),
        call.result,
        _decimal(call.cost),
    ]


def _decimal(amount: Decimal) -> str:
    """Four places, for a call may cost less than a cent."""
    return f"{amount:.4f}".replace(".", written.decimal(Decimal("1.1"))[1])
