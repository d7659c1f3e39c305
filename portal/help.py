"""The help: one page per flow that exists. Their texts are in `templates/portal/help/`, with the dialogs' own words."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Flow:
    """Something a person can do: `slug` names its page, `text` says in one sentence what it is for."""

    slug: str
    title: Promise
    text: Promise
    icon: str
    tone: str


FLOWS: Sequence[Flow] = (
    Flow(
        "pin-letter",
        _("PIN letter: verify an address"),
        _("Prove your address in a local area, before you order or port numbers there."),
        "mail",
        "info",
    ),
    Flow(
        "order",
        _("Order new phone numbers"),
        _("Buy single numbers, consecutive ones or a block; they arrive inactive at once."),
        "plus",
        "ok",
    ),
    Flow(
        "port",
        _("Port phone numbers"),
        _("Bring numbers from your old provider: fill in, sign, and see every step until they are here."),
        "arrow-right-left",
        "ok",
    ),
    Flow(
        "activate",
        _("Activate phone numbers"),
        _("To be able to use a phone number, you have to activate it."),
        "circle-play",
        "ok",
    ),
    Flow(
        "deactivate",
        _("Deactivate phone numbers"),
        _("Schedule a number for deactivation; it works until the end of the following month."),
        "circle-minus",
        "danger",
    ),
    Flow(
        "withdraw",
        _("Withdraw a deactivation"),
        _("You changed your mind: the number stays active, without any new cost."),
        "undo-2",
        "warn",
    ),
    Flow(
        "swap",
        _("Swap phone numbers"),
        _("Replace an active number by an inactive one, cost-neutral."),
        "shuffle",
        "info",
    ),
    Flow(
        "assign",
        _("Assign phone numbers"),
        _("Give an active number to a staff member, at once or from a later day on."),
        "user-plus",
        "info",
    ),
    Flow(
        "fax",
        _("Send fax credentials"),
        _("Let staff send faxes from any application, with the fax printer driver."),
        "app-window",
        "info",
    ),
    Flow(
        "forwarding",
        _("Set up a forwarding"),
        _("Say where the calls to a number go: always, when busy, when there is no answer."),
        "phone-forwarded",
        "info",
    ),
    Flow(
        "staff",
        _("Staff and their logins"),
        _("Enter your staff, invite them by mail, change roles, lock and remove."),
        "users",
        "info",
    ),
    Flow(
        "calls",
        _("Calls and the itemised bill"),
        _("See which calls your costs are made of, what is kept of them and until when."),
        "list-checks",
        "info",
    ),
)


def flow(slug: str) -> Flow | None:
    """Return the flow of that name, or None."""
    return next((flow for flow in FLOWS if flow.slug == slug), None)
