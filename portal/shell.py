"""What the frame of every page shows: tenant, person, navigation."""

import zlib
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from portal.access import tenant_token
from portal.hotline import hotline
from portal.models import Membership, Role, User

HUES = 8
SIGNED_OUT_THEME = User.Theme.AUTO


def hue(name: str) -> int:
    """Return one of eight fixed hues for a name, the same every time."""
    return zlib.crc32(name.encode()) % HUES


def initials(name: str) -> str:
    """Return up to two initials of a name."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `shell`, built only when a template asks for it."""
    return {"shell": SimpleLazyObject(lambda: _shell(request))}


def _shell(request: HttpRequest) -> dict[str, Any]:
    user, membership = getattr(request, "user", None), getattr(request, "membership", None)
    frame: dict[str, Any] = {
        "operator_name": settings.OPERATOR_NAME,
        "hotline": hotline(),
        "hotline_e164": settings.OPERATOR_HOTLINE,
        "language": get_language(),
        "theme": request.COOKIES.get("theme", SIGNED_OUT_THEME),
        "demo": settings.DEMO,
        "banner": _banner(),
        "nav": [],
        "memberships": [],
    }
    if user is not None and user.is_authenticated:
        frame |= {"person_name": user.name, "initials": initials(user.name), "hue": hue(user.name), "theme": user.theme}
    if membership:
        name = membership.tenant.name
        frame |= {
            "tenant_name": name,
            "customer_number": membership.tenant.customer_number,
            "tenant_initials": initials(name),
            "tenant_hue": hue(name),
            "tenant_token": tenant_token(membership.tenant_id),
            "role": membership.role,
            "role_label": membership.get_role_display(),
            "memberships": _memberships(request.memberships, membership),  # type: ignore[attr-defined]  # as access.Request says
            "nav": _nav(request.path, Role(membership.role)),
        }
    return frame


def _banner() -> str:
    """Return what every page says at its top: that this console, in the demo only, asks for no second factor."""
    if settings.PROCESS == "operator" and not settings.OPERATOR_SECOND_FACTOR:
        return _("Demonstration: this console lets you in without a second factor.")
    return ""


def _memberships(memberships: Sequence[Membership], present: Membership) -> list[dict[str, Any]]:
    return [{"id": m.tenant_id, "name": m.tenant.name, "current": m.pk == present.pk} for m in memberships]


# title, then (url name, label, icon, roles)
_EVERY = frozenset(Role)
_STAFF = frozenset({Role.STAFF})
_ADMIN = frozenset({Role.ADMINISTRATOR})
_STAFF = frozenset({Role.STAFF})
_MONEY = frozenset({Role.ADMINISTRATOR, Role.BILLING})


def _nav(path: str, role: Role) -> list[dict[str, Any]]:
    sections = [
        (
            "",
            [
                ("numbers:mine", _("My phone numbers"), "phone", _STAFF),
                ("numbers:dashboard", _("Dashboard"), "layout-dashboard", _ADMIN),
                ("numbers:overview", _("Phone numbers"), "phone", _ADMIN),
                ("numbers:ports", _("Portings"), "arrow-right-left", _ADMIN),
                ("numbers:upcoming", _("What happens next"), "calendar-clock", _ADMIN),
                ("fax:faxes", _("Faxes"), "printer", _EVERY),
            ],
        ),
        (
            _("Organisation"),
            [
                ("billing:costs", _("Costs"), "receipt-text", _MONEY),
                ("numbers:itemised", pgettext("navigation", "Itemised bill"), "list-checks", _ADMIN),
                ("numbers:own_calls", _("My calls"), "phone-call", _STAFF),
                ("staff:list", _("Staff"), "users", _ADMIN),
                ("numbers:addresses", _("Addresses"), "mail", _ADMIN),
                ("numbers:history", _("History"), "history", _ADMIN),
                ("numbers:kept", _("What we keep"), "shield-check", _EVERY),
                ("portal:help", _("Help"), "circle-question-mark", _EVERY),
            ],
        ),
    ]
    shown = []
    for title, entries in sections:
        items = [_item(path, *entry[:3]) for entry in entries if role in entry[3]]
        if items:
            shown.append({"title": title, "items": items})
    return shown


def _item(path: str, name: str, label: str, icon: str) -> dict[str, Any]:
    url = reverse(name)
    return {"url": url, "label": label, "icon": icon, "current": path.startswith(url)}
