"""What happened to the tenant's people: events of the trace as sentences."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.models import AuditEvent, Role
from portal.tenancy import current
from staff.models import StaffMember

KIND = "staff_member"
# verb: what a person chooses in the filter of the history, and the icon and tone of its line
KINDS: dict[str, tuple[Promise, str, str]] = {
    "staff.added": (gettext_lazy("Staff member created"), "user-plus", ""),
    "staff.enrolled": (gettext_lazy("Added to the list of staff"), "user-plus", ""),
    "staff.changed": (gettext_lazy("Staff member changed"), "pencil", ""),
    "staff.invited": (gettext_lazy("Invited"), "mail", ""),
    "staff.invitation_revoked": (gettext_lazy("Invitation revoked"), "undo-2", "off"),
    "staff.invitation_accepted": (gettext_lazy("Invitation accepted"), "circle-check", "ok"),
    "staff.role_changed": (gettext_lazy("Role changed"), "shield-check", "warn"),
    "staff.locked": (gettext_lazy("Locked"), "lock", "off"),
    "staff.unlocked": (gettext_lazy("Unlocked"), "lock-open", "ok"),
    "staff.left": (gettext_lazy("Removed"), "user-minus", "off"),
    "staff.data_exported": (gettext_lazy("Personal data exported"), "download", ""),
    "staff.erased": (gettext_lazy("Personal data erased"), "trash-2", "off"),
    "staff.settings_changed": (gettext_lazy("Staff settings changed"), "settings", ""),
    "membership.added": (gettext_lazy("Access given"), "key-round", "ok"),
    "membership.role_changed": (gettext_lazy("Role changed"), "key-round", "warn"),
    "membership.changed": (gettext_lazy("Role changed"), "key-round", "warn"),
    "membership.removed": (gettext_lazy("Access ended"), "key-round", "off"),
    "user.sessions_ended": (gettext_lazy("Signed out of this company"), "log-out", "off"),
}
FIELDS: dict[str, Promise] = {
    "name": gettext_lazy("Name"),
    "email": gettext_lazy("E-mail"),
    "extension": gettext_lazy("Extension"),
    "department": gettext_lazy("Department"),
    "language": gettext_lazy("Language"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One event, ready to be shown."""

    at: datetime
    sentence: str
    actor: str
    icon: str
    tone: str


def of_member(member: StaffMember, *, before: int | None, count: int) -> tuple[list[Line], int | None]:
    """Return a page of what happened to a person, newest first, and where the next page begins (an event's id)."""
    found = AuditEvent.objects.filter(tenant_id=current(), object_type=KIND, object_id=member.pk).order_by("-pk")
    events = list((found.filter(pk__lt=before) if before else found)[: count + 1])
    more = events[count - 1].pk if len(events) > count else None
    return [_line(event) for event in events[:count]], more


def sentence(verb: str, before: Any, after: Any) -> str:
    """Say what an event of this floor did, without naming the person."""
    say = _SENTENCES.get(verb)
    return say(before, after) if say else str(KINDS[verb][0])


def named(event: AuditEvent) -> str:
    """Say what an event of this floor did, and to whom, for the history of the whole tenant."""
    said = sentence(event.verb, event.before, event.after)
    return f"{event.object_label}: {said}" if event.object_label else said


def _line(event: AuditEvent) -> Line:
    known = KINDS.get(event.verb)
    _label, icon, tone = known or ("", "info", "")
    text = sentence(event.verb, event.before, event.after) if known else event.verb
    return Line(event.at, text, event.actor_name, icon, tone)


def _changed(before: Any, after: Any) -> str:
    return "; ".join(_change(name, str(before.get(name, "")), str(after[name])) for name in FIELDS if name in after)


def _change(name: str, before: str, after: str) -> str:
    words = {"field": FIELDS[name], "before": before, "after": after}
    if not after:
        return _("%(field)s “%(before)s” removed") % words
    if not before:
        return _("%(field)s “%(after)s” set") % words
    return _("%(field)s changed from “%(before)s” to “%(after)s”") % words


def _invited(before: Any, after: Any) -> str:
    return _("Invited as %(role)s, by mail to %(email)s") % {"role": _role(after), "email": after.get("email", "")}


def _accepted(before: Any, after: Any) -> str:
    return _("Invitation accepted; signs in as %(role)s") % {"role": _role(after)}


def _role_changed(before: Any, after: Any) -> str:
    return _("Role changed from %(before)s to %(after)s") % {"before": _role(before), "after": _role(after)}


def _role(values: Any) -> str:
    return str(Role(values["role"]).label) if values.get("role") in Role.values else "–"


_SENTENCES: dict[str, Callable[[Any, Any], str]] = {
    "staff.changed": _changed,
    "staff.invited": _invited,
    "staff.invitation_accepted": _accepted,
    "staff.role_changed": _role_changed,
    "membership.role_changed": _role_changed,
}
