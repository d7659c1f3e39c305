"""Every URL of the customers' portal: who is let in, what it answers, which id it carries.

A pattern without an entry fails the suite, and so does an entry without a pattern.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

VIEWERS = ("anonymous", "alice", "bob", "dora", "carl", "erika", "olga")
ROLE = {
    "alice": "administrator",
    "carl": "administrator",
    "erika": "administrator",
    "dora": "billing",
    "bob": "staff",
}
ADMINISTRATOR = frozenset({"administrator"})
MONEY = frozenset({"administrator", "billing"})
MEMBER = frozenset({"administrator", "billing", "staff"})


@dataclass(frozen=True)
class Route:
    """What one URL promises.

    `roles` are let in, everybody else gets 403; `get` is the answer to them. `owns` names the row of the world whose id
    is in the URL; without a word a foreign one is 404. `acts`: it takes POST.
    """

    roles: frozenset[str] = ADMINISTRATOR
    get: int = 200
    acts: bool = False
    owns: str = ""
    fixed: dict[str, str] = field(default_factory=dict)
    query: str = ""


@dataclass(frozen=True)
class Door:
    """A page that is no tenant's: what it may answer to those not signed in, and to those who are."""

    outside: frozenset[int]
    inside: frozenset[int]
    fixed: dict[str, str | int] = field(default_factory=dict)
    why: str = ""


def door(outside: set[int], inside: set[int], **fixed: str | int) -> Door:
    return Door(frozenset(outside), frozenset(inside), fixed)


_SECURITY = door({302}, {200, 302, 404, 405})  # allauth's own account pages; a fresh sign-in is asked for first
ROUTES: dict[str, Route | Door] = {
    # the ground floor
    "portal:home": door({302}, {302, 403, 405}),
    "portal:switch_tenant": Route(MEMBER, get=405, acts=True),
    "portal:language": door({400, 405}, {400, 405}),
    "portal:theme": door({400, 405}, {400, 405}),
    "portal:profile": Route(MEMBER),
    "portal:help": door({200, 302, 405}, {200, 302, 405}),
    "portal:help_flow": door({200, 302, 405}, {200, 302, 405}, flow="activate"),
    "portal:healthz": door({200}, {200}),
    # money
    "billing:costs": Route(MONEY),
    "billing:costs_csv": Route(MONEY),
    # numbers
    "numbers:dashboard": Route(),
    "numbers:upcoming": Route(),
    "numbers:history": Route(),
    "numbers:mine": Route(MEMBER),
    "numbers:own_forwarding": Route(MEMBER, get=404, owns="active", acts=True),  # 404: it is with none of them
    "numbers:own_forwarding_remove": Route(MEMBER, get=405, owns="active", acts=True, fixed={"when": "always"}),
    "numbers:hire": Route(acts=True),
    "numbers:of_member": Route(owns="holder"),
    "numbers:my_data": Route(MEMBER, acts=True),
    "numbers:person_data": Route(owns="holder", acts=True),
    "numbers:person_erase": Route(owns="gone", acts=True),
    "numbers:release": Route(owns="holder", acts=True),
    "numbers:overview": Route(),
    "numbers:tabs": Route(),
    "numbers:export": Route(),
    "numbers:columns": Route(acts=True, get=405),
    "numbers:swap": Route(acts=True),
    "numbers:swap_choices": Route(query="field=old"),
    "numbers:assign_list": Route(acts=True),
    "numbers:bulk": Route(acts=True),
    "numbers:bulk_result": Route(owns="run"),
    "numbers:bulk_result_csv": Route(owns="run"),
    "numbers:orders": Route(),
    "numbers:order_new": Route(acts=True),
    "numbers:order_confirm": Route(acts=True, get=302),
    "numbers:order": Route(owns="order"),
    "numbers:order_proof": Route(owns="order"),
    "numbers:ports": Route(),
    "numbers:port_new": Route(acts=True),
    "numbers:port": Route(owns="port_submitted"),
    "numbers:port_step": Route(owns="port_draft", acts=True, fixed={"step": "holder"}),
    "numbers:port_summary": Route(owns="port_draft"),
    "numbers:port_form": Route(owns="port_submitted"),
    "numbers:port_upload": Route(owns="port_draft", acts=True, get=405),
    "numbers:port_document": Route(owns="port_submitted", fixed={"version": "1"}),
    "numbers:port_submit": Route(owns="port_draft", acts=True, get=405),
    "numbers:port_move": Route(owns="port_confirmed", acts=True),
    "numbers:port_replace": Route(owns="port_completed", acts=True, get=302),
    "numbers:port_cancel": Route(owns="port_confirmed", acts=True),
    "numbers:addresses": Route(),
    "numbers:address_new": Route(acts=True),
    "numbers:address": Route(owns="address_sent"),
    "numbers:address_edit": Route(owns="address", acts=True),
    "numbers:address_move": Route(owns="address_verified", acts=True),
    "numbers:address_remove": Route(owns="address", acts=True, get=405),
    "numbers:letter_ask": Route(owns="address", acts=True, get=405),
    "numbers:letter_withdraw": Route(owns="address_requested", acts=True, get=405),
    "numbers:letter_pin": Route(owns="address_sent", acts=True, get=405),
    "numbers:blocks": Route(),
    "numbers:block": Route(owns="block"),
    "numbers:return": Route(owns="inactive", acts=True),
    "numbers:number": Route(owns="active"),
    "numbers:edit": Route(owns="active", acts=True),
    "numbers:activate": Route(owns="inactive", acts=True),
    "numbers:deactivate": Route(owns="active", acts=True),
    "numbers:withdraw": Route(owns="scheduled", acts=True),
    "numbers:assign": Route(owns="fax", acts=True),
    "numbers:unassign": Route(owns="fax", acts=True, get=405),
    "numbers:handover_withdraw": Route(owns="fax", acts=True, get=405),
    "numbers:forwarding": Route(owns="active", acts=True),
    "numbers:forwarding_remove": Route(owns="active", acts=True, get=405, fixed={"when": "always"}),
    # the tenant's people
    "fax:access": Route(owns="fax"),
    "fax:send": Route(owns="fax", acts=True),
    "fax:of_member": Route(owns="member"),
    "fax:revoke": Route(owns="credential", acts=True),
    "fax:settings": Route(acts=True),
    "fax:link": Route(MEMBER, get=404, acts=True),  # 404: none of them was mailed a link
    "fax:open": door({302}, {302, 405}, token="nothing"),
    "staff:list": Route(),
    "staff:export": Route(),
    "staff:enrol": Route(acts=True, get=405),
    "staff:settings": Route(acts=True),
    "staff:new": Route(acts=True),
    "staff:member": Route(owns="member"),
    "staff:edit": Route(owns="member", acts=True),
    "staff:lock": Route(owns="member", acts=True),
    "staff:unlock": Route(owns="member", acts=True),
    "staff:remove": Route(owns="member", acts=True),
    "staff:invite": Route(owns="member", acts=True),
    "staff:revoke": Route(owns="member", acts=True),
    "staff:role": Route(owns="member", acts=True),
    "staff:open_invitation": door({302}, {302, 405}, token="nothing"),
    "staff:accept": door({404}, {404}),
    "numbers:calls": Route(owns="active"),
    "numbers:own_calls": Route(MEMBER),
    "numbers:itemised": Route(),
    "numbers:itemisation_order": Route(acts=True),
    "numbers:itemisation_withdraw": Route(acts=True),
    "numbers:itemised_bill": Route(fixed={"year": "2026", "month": "11"}),
    "numbers:itemised_file": Route(fixed={"year": "2026", "month": "11", "form": "csv"}),
    "numbers:kept": Route(MEMBER),
    "numbers:retention": Route(acts=True),
    # faxes: everybody sees their own; that of the world is a colleague's, so 404 for all of them
    "fax:faxes": Route(MEMBER),
    "fax:fax": Route(MEMBER, get=404, owns="fax_job"),
    "fax:fax_preview": Route(MEMBER, get=404, owns="fax_job"),
    "fax:fax_address": Route(MEMBER, get=405, owns="fax_job", acts=True),
    "fax:fax_cancel": Route(MEMBER, get=405, owns="fax_job", acts=True),
    "fax:fax_retry": Route(MEMBER, get=405, owns="fax_job", acts=True),
    "fax:fax_delete": Route(MEMBER, get=404, owns="fax_job", acts=True),
    "fax:printer": door({405}, {405}, number="493023125012"),
    # of the demo only: 404 elsewhere, tests included
    "demo:mails": door({404}, {404}),
    "demo:mail": door({404}, {404}, name="20261123T100000000000-00000000"),
    "demo:mail_html": door({404}, {404}, name="20261123T100000000000-00000000"),
    # the door
    "account_login": door({200}, {302}),
    "account_logout": door({302}, {200, 302}),
    "account_inactive": door({200}, {200}),
    "account_signup": door({200}, {200, 302}),
    "account_reauthenticate": _SECURITY,
    "account_change_password": _SECURITY,
    "account_set_password": _SECURITY,
    "account_reset_password": door({200}, {200, 302}),
    "account_reset_password_done": door({200}, {200}),
    "account_reset_password_from_key": door({200, 302}, {200, 302}, uidb36="a", key="b-c"),
    "account_reset_password_from_key_done": door({200}, {200}),
    "account_email": _SECURITY,
    "account_confirm_email": door({200, 302, 404}, {200, 302, 404}, key="nothing"),
    "mfa_index": _SECURITY,
    "mfa_authenticate": door({302}, {302}),
    "mfa_reauthenticate": _SECURITY,
    "mfa_activate_totp": _SECURITY,
    "mfa_deactivate_totp": _SECURITY,
    "mfa_view_recovery_codes": _SECURITY,
    "mfa_generate_recovery_codes": _SECURITY,
    "mfa_download_recovery_codes": _SECURITY,
    "mfa_list_webauthn": _SECURITY,
    "mfa_add_webauthn": _SECURITY,
    "mfa_reauthenticate_webauthn": _SECURITY,
    "mfa_remove_webauthn": Door(_SECURITY.outside, _SECURITY.inside, {"pk": 1}),
    "mfa_edit_webauthn": Door(_SECURITY.outside, _SECURITY.inside, {"pk": 1}),
    "mfa_login_webauthn": door({200, 302}, {200, 302}),
    "usersessions_list": _SECURITY,
    "usersessions_end": Door(frozenset({302, 405}), _SECURITY.inside, {"pk": 1}),
}

# Routes that take a POST which no form on a page leads to, each with its reason.
WITHOUT_FORM: dict[str, str] = {
    "numbers:own_forwarding": "for whoever has the number, if the tenant allows it: tests/numbers/test_people.py",
    "numbers:own_forwarding_remove": "as above",
    "numbers:port_replace": "once the ported number is here: tests/numbers/test_port_pages.py",
    "fax:fax_address": "for whoever printed it: tests/fax/test_faxes_page.py",
    "fax:fax_cancel": "as above",
    "fax:fax_retry": "as above",
    "fax:fax_delete": "as above",
    "fax:link": "for whoever was mailed a link: tests/fax/test_link.py",
}


def patterns(resolver: URLResolver | None = None, before: str = "", space: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield (route, name, view) of every pattern there is; nameless ones too."""
    for part in (resolver or get_resolver()).url_patterns:
        route = f"{before}{part.pattern}"
        if isinstance(part, URLPattern):
            yield route, ":".join(filter(None, (space, part.name))), part.callback
        else:
            yield from patterns(part, route, ":".join(filter(None, (space, part.namespace))))


def unlisted() -> list[str]:
    """Return what does not match between the table and the URLs that exist."""
    present = list(patterns())
    names = {name for _, name, _ in present}
    found = [f"/{route}: no entry in tests/isolation/routes.py" for route, name, _ in present if name not in ROUTES]
    return found + [f"{name}: an entry without a URL" for name in ROUTES if name not in names]
