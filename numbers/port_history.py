"""What happened to port orders, and to numbers that leave: events of the trace as sentences."""

from datetime import date

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.models import AuditEvent

# verb: what a person chooses in the filter of the history, and the icon and tone of its line
KINDS: dict[str, tuple[Promise, str, str]] = {
    "porting.begun": (gettext_lazy("Port order begun"), "plus", ""),
    "porting.saved": (gettext_lazy("Port order changed"), "pencil", ""),
    "porting.document": (gettext_lazy("Signed port order uploaded"), "plus", ""),
    "porting.submitted": (gettext_lazy("Port order submitted"), "arrow-right", ""),
    "porting.taken": (gettext_lazy("Port order being worked on"), "user-plus", ""),
    "porting.set_off": (gettext_lazy("Port order on its way to the old provider"), "arrow-right", ""),
    "porting.sent": (gettext_lazy("Port order handed over to the old provider"), "arrow-right", ""),
    "porting.accepted": (gettext_lazy("Port order accepted"), "circle-check", "ok"),
    "porting.rejected": (gettext_lazy("Port order rejected"), "circle-x", "warn"),
    "porting.date_set": (gettext_lazy("Port date confirmed"), "calendar-clock", "ok"),
    "porting.change_asked": (gettext_lazy("Another port date asked for"), "calendar-clock", ""),
    "porting.change_refused": (gettext_lazy("Another port date refused"), "circle-x", "warn"),
    "porting.reminded": (gettext_lazy("Reminder of the port date sent"), "mail", ""),
    "porting.fault": (gettext_lazy("Changeover failed"), "circle-alert", "warn"),
    "porting.completed": (gettext_lazy("Porting completed"), "circle-check", "ok"),
    "porting.replaced": (gettext_lazy("Temporary number replaced by the ported one"), "shuffle", "ok"),
    "porting.cancelled": (gettext_lazy("Port order cancelled"), "circle-x", "off"),
    "number.port_out_announced": (gettext_lazy("Departure to another provider announced"), "calendar-clock", "warn"),
    "number.port_out_withdrawn": (gettext_lazy("Departure to another provider withdrawn"), "undo-2", "ok"),
}


def sentence(event: AuditEvent) -> str:
    """Return what happened, with its day and its reason if it has them."""
    kept = event.before | event.after
    day = kept.get("on") or kept.get("leaves_on") or ""
    words = {
        "what": KINDS[event.verb][0],
        "on": date_format(date.fromisoformat(day), "SHORT_DATE_FORMAT") if day else "",
        "reason": kept.get("reason", ""),
    }
    if words["reason"]:
        return _("%(what)s: %(reason)s") % words
    if day:
        return _("%(what)s: %(on)s") % words
    return str(words["what"])
