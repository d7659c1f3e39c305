"""Finds the forms of a page and fills them in, as people do and as an attacker does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.urls import Resolver404, resolve

from tests.isolation import walk
from tests.isolation import world as worlds
from tests.isolation.routes import ROUTES, WITHOUT_FORM, Route
from tests.isolation.walk import Viewer

OWN_FIELDS = ("csrfmiddlewaretoken", "_tenant", "operation_id")
# Pages whose form appears, or is complete, only once something was chosen on the page before.
CHOSEN = {
    "numbers:bulk": (
        "verb=activate&ids=%(inactive)s&ids=%(free)s",
        "verb=deactivate&ids=%(active)s",
        "verb=withdraw&everything=all",
        "verb=assign&ids=%(active)s&to=%(member)s",
    ),
    "numbers:order_new": ("area=69&kind=single&count=1",),
    "numbers:order_confirm": ("basket=%(basket)s&kind=single",),
    "numbers:swap": ("old=%(spare)s&new=%(inactive)s",),
}
ABOUT_THE_PERSON = ("account_", "mfa_", "usersessions_")  # the sign-in's own; signing out would end the proof early
STATES = ("active", "scheduled", "overdue", "inactive")
ADDRESSES = ("address", "address_sent", "address_requested", "address_verified")
CARRIES_AN_ID = ("old", "new", "number", "numbers", "ids", "id", "pk", "run", "area", "tenant", "member", "to")


@dataclass
class Form:
    """A form that changes something: where it goes, and what it would send."""

    action: str
    page: str
    fields: dict[str, list[str]] = field(default_factory=dict)

    @property
    def route(self) -> str:
        try:
            return resolve(self.action.partition("?")[0]).view_name
        except Resolver404:
            return ""

    @property
    def kind(self) -> tuple[str, ...]:
        return (self.route, *self.fields.get("verb", ()), *sorted(self.fields))


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.forms, self.named = page, [], {}
        self.open: Form | None = None
        self.select: tuple[Form, str] | None = None
        self.elsewhere: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.open = Form(at.get("action") or self.page.partition("?")[0], self.page)
            if at.get("method", "").lower() == "post":
                self.forms.append(self.open)
                self.named[at.get("id", "")] = self.open
        elif tag in ("input", "textarea", "button", "select"):
            self._control(tag, at)
        elif tag == "option" and self.select and at.get("value"):
            form, name = self.select
            if "selected" in at:
                form.fields[name] = [at["value"]]
            else:
                form.fields.setdefault(name, [at["value"]])

    def _control(self, tag: str, at: dict[str, str]) -> None:
        name = at.get("name", "")
        if "form" in at:
            self.elsewhere.append((at["form"], name, at.get("value", "")))
        elif self.open is not None and name:
            if tag == "select":
                self.select = (self.open, name)
            elif tag == "button" or (at.get("type") == "radio" and "checked" not in at):
                self.open.fields.setdefault(name, [at.get("value", "on")])
            elif at.get("type") == "radio":
                self.open.fields[name] = [at.get("value", "on")]
            else:
                default = "on" if at.get("type") == "checkbox" else ""
                self.open.fields.setdefault(name, []).append(at.get("value", default))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        elif tag == "select":
            self.select = None

    def finish(self) -> list[Form]:
        for form, name, value in self.elsewhere:
            if form in self.named and name:
                self.named[form].fields.setdefault(name, []).append(value)
        return self.forms


def on(page: str, text: str) -> list[Form]:
    """Return the POST forms of a page's text."""
    reader = _Reader(page)
    reader.feed(text)
    return reader.finish()


_COLLECTED: dict[tuple[Any, ...], list[Form]] = {}


def collected(viewer: Viewer, *, only: str = "") -> list[Form]:
    """Return one of each kind of form this person finds on any page (or on one), with and without htmx.

    The world stands, so what a person finds is looked for once; the tests of walls alone look anew at the answers.
    """
    if only:
        return _found(viewer, only)
    known = (viewer.name, on, frozenset(ROUTES))  # what is planted makes a difference
    if known not in _COLLECTED:
        _COLLECTED[known] = _found(viewer)
    return _COLLECTED[known]


def _found(viewer: Viewer, only: str = "") -> list[Form]:
    kinds: dict[tuple[str, ...], Form] = {}
    for name in walk.walked([only] if only else None):
        route = ROUTES[name]
        if not isinstance(route, Route):
            continue
        rows = ADDRESSES if name == "numbers:address" else STATES
        keys = [viewer.own.ids[k] for k in rows] if "number" in name and route.owns and not only else []
        urls = [f"{walk.address(name)}?{query % viewer.own.ids}" for query in CHOSEN.get(name, ())]
        urls += [dict(walk.addresses(name, viewer))["own"], *(walk.address(name, key) for key in keys)]
        for url in dict.fromkeys(urls):  # the first of a kind stays: that of the state in which it does something
            for htmx in (False, True)[: 1 if only else 2]:
                for form in on(url, viewer.get(url, htmx=htmx).text):
                    if not form.route.startswith(ABOUT_THE_PERSON):
                        kinds.setdefault(form.kind, form)
    return list(kinds.values())


def without_form(*viewers: Viewer) -> list[str]:
    """Return the URLs that take a POST and to which no form on any page of these people leads."""
    reached = {form.route for viewer in viewers for form in collected(viewer)}
    acting = {name for name in walk.walked(None) if isinstance(ROUTES[name], Route) and ROUTES[name].acts}
    return sorted(acting - reached - set(WITHOUT_FORM))


def sendings(form: Form, viewer: Viewer) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Yield (what was done to it, what is sent): each id replaced by a foreign one, one by one and all at once."""
    sent = {name: values for name, values in form.fields.items() if name not in OWN_FIELDS}
    own = {str(pk) for pk in viewer.own.ids.values()} | {str(viewer.own.tenant.pk)}
    suspicious = [name for name in sent if name in CARRIES_AN_ID or own & set(sent[name])]
    foreign = {name: [_foreign(name, viewer)] for name in suspicious}
    for name in suspicious:
        yield f"foreign {name}", sent | {name: foreign[name]}
        yield f"own and foreign {name}", sent | {name: [*sent[name], *foreign[name]]}
    if len(suspicious) > 1:
        yield "foreign everything", sent | foreign


def _foreign(name: str, viewer: Viewer) -> str:
    if name in ("tenant", "run"):
        return str(viewer.foreign.ids["run"] if name == "run" else viewer.foreign.tenant.pk)
    if name in ("member", "to"):
        return str(viewer.foreign.ids["member"])
    return str(viewer.foreign.ids["inactive" if name == "new" else "active"])


def foreign_ids(viewer: Viewer) -> list[str]:
    """Send every form with foreign ids; the other tenant's rows may not change, nor may the answer show them."""
    found = []
    for form in collected(viewer):
        for done, fields in sendings(form, viewer):
            what = f"{viewer.name}: {form.route} from {form.page}, {done}"
            before = worlds.fingerprints(of=viewer.foreign.tenant.pk)
            with _taken_back():
                seen = viewer.post(form.action, fields)
                after = worlds.fingerprints(of=viewer.foreign.tenant.pk)
            if seen.status not in walk.FINE | {403}:
                found.append(f"{what}: {seen.status}{seen.why}")
            found += [f"{what}: changed the other tenant's {table}" for table in worlds.changed(before, after)]
            found += walk._shown(what, viewer, seen.text, *(value for values in fields.values() for value in values))
    return found


def extra_fields(viewer: Viewer) -> list[str]:
    """Send every form once as it is and once with fields nobody offered; both must come to the same."""
    found = []
    extra = _extra(viewer)
    for form in collected(viewer):
        what = f"{viewer.name}: {form.route} from {form.page}"
        sent = {name: values for name, values in form.fields.items() if name not in OWN_FIELDS}
        outside = worlds.fingerprints(of=viewer.foreign.tenant.pk)
        plain, plain_rows, _ = _sent(viewer, form, sent)
        more, more_rows, outside_after = _sent(viewer, form, {k: v for k, v in extra.items() if k not in sent} | sent)
        if plain.status >= 500 or more.status != plain.status:
            found.append(f"{what}: {plain.status}, with extra fields {more.status}{plain.why}{more.why}")
        found += [f"{what}: extra fields changed {table}" for table in worlds.changed(plain_rows, more_rows)]
        found += [f"{what}: changed the other tenant's {t}" for t in worlds.changed(outside, outside_after)]
    return found


def _extra(viewer: Viewer) -> Mapping[str, Any]:
    return {
        "tenant": str(viewer.foreign.tenant.pk),
        "tenant_id": str(viewer.foreign.tenant.pk),
        "user": str(viewer.foreign.administrator.pk),
        "by": str(viewer.foreign.administrator.pk),
        "state": "active",
        "active_since": "2020-01-01",
        "last_active_on": "2099-12-31",
        "price": "0.01",
        "monthly": "0.01",
        "price_class": "premium",
        "e164": "+496990009999",
        "area_id": "1",
        "role": "administrator",
        "is_operator": "on",
        "is_active": "on",
        "id": str(viewer.foreign.ids["active"]),
        "pk": str(viewer.foreign.ids["active"]),
    }


def _sent(viewer: Viewer, form: Form, fields: Mapping[str, Any]) -> tuple[walk.Answer, dict[str, str], dict[str, str]]:
    with _taken_back():
        seen = viewer.post(form.action, dict(fields) | {"operation_id": str(uuid4())})
        rows = worlds.fingerprints(of=viewer.own.tenant.pk, shape=True)
        return seen, rows, worlds.fingerprints(of=viewer.foreign.tenant.pk)


class _taken_back(transaction.Atomic):
    """Do it within a savepoint that is never kept."""

    def __init__(self) -> None:
        super().__init__(using=None, savepoint=True, durable=False)

    def __exit__(self, *error: Any) -> None:
        transaction.set_rollback(True)
        super().__exit__(*error)
