"""What happened to the tenant's addresses and letters: events of the trace as sentences."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.models import AuditEvent

# verb: what a person chooses in the filter of the history, and the icon and tone of its line
KINDS: dict[str, tuple[Promise, str, str]] = {
    "address.created": (gettext_lazy("Address entered"), "plus", ""),
    "address.changed": (gettext_lazy("Address changed"), "pencil", ""),
    "address.removed": (gettext_lazy("Address removed"), "trash-2", "off"),
    "address.verified": (gettext_lazy("Address verified"), "circle-check", "ok"),
    "address.replaced": (gettext_lazy("Address replaced by a newer one"), "building-2", "off"),
    "letter.requested": (gettext_lazy("PIN letter requested"), "mail", ""),
    "letter.withdrawn": (gettext_lazy("PIN letter called off"), "undo-2", "off"),
    "letter.worded": (gettext_lazy("Address of the PIN letter worded by us"), "pencil", ""),
    "letter.declined": (gettext_lazy("PIN letter declined"), "circle-x", "warn"),
    "letter.posted": (gettext_lazy("PIN letter posted"), "mail", "ok"),
    "letter.returned": (gettext_lazy("PIN letter came back"), "undo-2", "warn"),
    "letter.expired": (gettext_lazy("PIN expired"), "hourglass", "off"),
    "letter.pin_refused": (gettext_lazy("Wrong PIN entered"), "circle-alert", "warn"),
    "letter.locked": (gettext_lazy("PIN locked after five wrong entries"), "lock", "warn"),
}


def sentence(event: AuditEvent) -> str:
    """Return what happened to which address."""
    words = {"what": KINDS[event.verb][0], "address": event.object_label, "reason": event.after.get("reason", "")}
    if words["reason"]:
        return _("%(what)s: %(address)s – %(reason)s") % words
    return _("%(what)s: %(address)s") % words
