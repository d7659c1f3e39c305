"""What the frame of every page shows: tenant, person, navigation."""

import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from portal import pieces
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
        "nav": _nav(None, (), settings.OPERATOR_NAME),
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
            "nav": _nav(Role(membership.role), _current(request.path), settings.OPERATOR_NAME),
        }
    return frame


def _banner() -> str:
    """Return what every page says at its top: that this console, in the demo only, asks for no second factor."""
    if settings.PROCESS == "operator" and not settings.OPERATOR_SECOND_FACTOR:
        return _("Demonstration: this console lets you in without a second factor.")
    return ""


def _memberships(memberships: Sequence[Membership], present: Membership) -> list[dict[str, Any]]:
    return [{"id": m.tenant_id, "name": m.tenant.name, "current": m.pk == present.pk} for m in memberships]


_EVERY = frozenset(Role)
_STAFF = frozenset({Role.STAFF})
_ADMIN = frozenset({Role.ADMINISTRATOR})
_MONEY = frozenset({Role.ADMINISTRATOR, Role.BILLING})
# title, then (url name, label, icon, roles)
_SECTIONS = (
    (
        "",
        (
            ("numbers:mine", gettext_lazy("My phone numbers"), "phone", _STAFF),
            ("numbers:dashboard", gettext_lazy("Dashboard"), "layout-dashboard", _ADMIN),
            ("numbers:overview", gettext_lazy("Phone numbers"), "phone", _ADMIN),
            ("numbers:ports", gettext_lazy("Portings"), "arrow-right-left", _ADMIN),
            ("numbers:upcoming", gettext_lazy("What happens next"), "calendar-clock", _ADMIN),
            ("fax:faxes", gettext_lazy("Faxes"), "printer", _EVERY),
        ),
    ),
    (
        gettext_lazy("Organisation"),
        (
            ("billing:costs", gettext_lazy("Costs"), "receipt-text", _MONEY),
            ("numbers:itemised", pgettext_lazy("navigation", "Itemised bill"), "list-checks", _ADMIN),
            ("numbers:own_calls", gettext_lazy("My calls"), "phone-call", _STAFF),
            ("staff:list", gettext_lazy("Staff"), "users", _ADMIN),
            ("numbers:addresses", gettext_lazy("Addresses"), "mail", _ADMIN),
            ("numbers:history", gettext_lazy("History"), "history", _ADMIN),
            ("numbers:kept", gettext_lazy("What we keep"), "shield-check", _EVERY),
            ("portal:help", gettext_lazy("Help"), "circle-question-mark", _EVERY),
        ),
    ),
)


_BELOW = (("/people/", "staff:list"),)  # pages of an entry whose addresses lie elsewhere


@cache
def _addresses() -> tuple[str, ...]:
    return tuple(reverse(entry[0]) for _title, entries in _SECTIONS for entry in entries)


def _current(path: str) -> tuple[str, ...]:
    """Return the addresses of the entries below which a path lies."""
    elsewhere = tuple(reverse(name) for begin, name in _BELOW if path.startswith(begin))
    return tuple(address for address in _addresses() if path.startswith(address)) + elsewhere


@pieces.kept
def _nav(role: Role | None, current: tuple[str, ...], operator_name: str) -> SafeString:
    """Draw the navigation of a role, with the entries marked at whose addresses one is."""
    sections = []
    for title, entries in _SECTIONS:
        items = [
            {"url": reverse(name), "label": label, "icon": icon} for name, label, icon, to in entries if role in to
        ]
        if items:
            sections.append({"title": title, "items": items})
    return pieces.drawn("ui/nav.html", sections=sections, current=current, operator_name=operator_name)
