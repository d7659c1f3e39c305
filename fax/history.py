"""What happened to fax access, as sentences for a number's page and the tenant's history."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

KINDS: dict[str, tuple[Promise, str, str]] = {
    "number.fax_sent": (gettext_lazy("Fax credentials sent"), "mail", "ok"),
    "number.fax_shown": (gettext_lazy("Fax credentials shown"), "key-round", ""),
    "number.fax_secret_replaced": (gettext_lazy("Previous fax password ended"), "refresh-cw", ""),
    "number.fax_revoked": (gettext_lazy("Fax access revoked"), "key-round", "off"),
    "fax.settings_changed": (gettext_lazy("How fax credentials are mailed was changed"), "settings", "warn"),
}


def _sent(before: Any, after: Any, names: Any) -> str:
    words = {"name": after.get("staff_member", ""), "email": after.get("email", "")}
    return _("Fax credentials sent to %(name)s (%(email)s)") % words


def _shown(before: Any, after: Any, names: Any) -> str:
    return _("%(name)s opened the link with the fax credentials") % {"name": after.get("staff_member", "")}


def _replaced(before: Any, after: Any, names: Any) -> str:
    words = {"name": after.get("staff_member", "")}
    return _("%(name)s used a new fax password; the previous one has ended") % words


def _revoked(before: Any, after: Any, names: Any) -> str:
    return _("Fax access of %(name)s revoked") % {"name": before.get("staff_member", "")}


SENTENCES = {
    "number.fax_sent": _sent,
    "number.fax_shown": _shown,
    "number.fax_secret_replaced": _replaced,
    "number.fax_revoked": _revoked,
}
