"""Walks every URL as everybody, with own, foreign and missing ids, and says what it should not have seen."""

import difflib
import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.template.exceptions import TemplateDoesNotExist
from django.test import Client
from django.urls import reverse

from portal.access import tenant_token
from tests import make
from tests.isolation import world as worlds
from tests.isolation.routes import ROLE, ROUTES, Door, Route, patterns
from tests.isolation.world import Side, World

MISSING = 8_888_888_888
UNWRITTEN = 0  # the status of a page that nobody has written yet
FINE = frozenset({200, 204, 302, 303, 400, 404, 405, 409, 422})
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Current-URL": "http://testserver/numbers/"}


@dataclass(frozen=True)
class Answer:
    status: int
    text: str  # body, headers and cookies
    location: str

    @property
    def why(self) -> str:
        return f": {self.text[:200]}" if self.status == 500 else ""


class Viewer:
    """Somebody at a browser of the test client: whose side they are on, and whose they must not see."""

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.own, self.foreign = (world.globex, world.acme) if name == "carl" else (world.acme, world.globex)
        self.client = Client()
        if name != "anonymous":
            user = getattr(world.people, name)
            self.client.force_login(user)
            make.just_signed_in(self.client, user)
        if name == "erika":
            session = self.client.session
            session["tenant_id"] = world.acme.tenant.pk
            session.save()

    @property
    def canaries(self) -> Side:
        """Return what must not show: Erika may know that Globex exists, but sees nothing of it while in Acme."""
        if self.name != "erika":
            return self.foreign
        hidden = tuple(c for c in self.foreign.canaries if c not in ("Globex",))
        return Side(self.foreign.tenant, self.foreign.administrator, hidden, self.foreign.ids)

    def get(self, url: str, *, htmx: bool = False) -> Answer:
        headers = HTMX | {"X-Tenant": tenant_token(self.own.tenant.pk)} if htmx else {}
        self._forget_messages()
        return answer(lambda: self.client.get(url, headers=headers))

    def post(self, url: str, data: Mapping[str, Any], *, tenant: int | None = None, htmx: bool = False) -> Answer:
        fields = {"_tenant": tenant_token(tenant or self.own.tenant.pk), "operation_id": str(uuid4())} | dict(data)
        self._forget_messages()
        return answer(lambda: self.client.post(url, fields, headers=HTMX if htmx else {}))

    def _forget_messages(self) -> None:
        self.client.cookies.pop("messages", None)  # what the last answer confirmed is no part of this one


def answer(ask: Callable[[], Any]) -> Answer:
    """Ask and read the answer whole: a stream is a body too, and a header can tell as much as a page."""
    try:
        response = ask()
    except TemplateDoesNotExist as missing:
        return Answer(UNWRITTEN, f"the template {missing} does not exist yet", "")
    except Exception as error:  # noqa: BLE001 -- an error is an answer too, and the finding names the URL
        return Answer(500, f"{type(error).__name__}: {error}", "")
    body = b"".join(response.streaming_content) if response.streaming else response.content
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    text = f"{headers}\n{response.cookies.output()}\n{body.decode('utf-8', 'replace')}"
    return Answer(response.status_code, text, response.headers.get("Location", ""))


def address(name: str, key: int | None = None) -> str:
    route = ROUTES[name]
    url = reverse(name, kwargs=dict(route.fixed) | ({"pk": key} if key is not None else {}))
    return f"{url}?{route.query}" if isinstance(route, Route) and route.query else url


def addresses(name: str, viewer: Viewer) -> Iterator[tuple[str, str]]:
    """Yield (whose, url): once for pages without an id, else with an own, a foreign and a missing id."""
    route = ROUTES[name]
    if isinstance(route, Door) or not route.owns:
        yield "own", address(name)
        return
    yield "foreign", address(name, viewer.foreign.ids[route.owns])
    yield "missing", address(name, MISSING)
    yield "own", address(name, viewer.own.ids[route.owns])


def unwritten() -> set[str]:
    """Return the URLs that still lead to an empty stub."""
    views = ((name, inspect.unwrap(view)) for _, name, view in patterns())
    return {n for n, view in views if inspect.isfunction(view) and view.__code__.co_names == ("HttpResponse",)}


def walked(names: list[str] | None) -> list[str]:
    present = {name for _, name, _ in patterns()} - unwritten()  # an entry without a URL is found by routes.unlisted
    return [name for name in names or ROUTES if name in present]


def expected(route: Route | Door, viewer: str, whose: str, *, post: bool) -> frozenset[int]:
    """Return what this URL may answer to this person."""
    if isinstance(route, Door):
        return route.outside if viewer == "anonymous" else route.inside
    if (post and not route.acts) or (not post and route.get == 405):
        refused = {405}
        if viewer in ("anonymous", "olga"):
            refused.add(302)
        elif ROLE[viewer] not in route.roles:
            refused.add(403)
        return frozenset(refused)
    if viewer in ("anonymous", "olga"):
        return frozenset({302})
    if ROLE[viewer] not in route.roles:
        return frozenset({403})
    if whose != "own":
        return frozenset({404})
    return frozenset({200, 204, 302, 303, 400, 404, 409, 422}) if post else frozenset({route.get})


def looks(viewer: Viewer, *, names: list[str] | None = None, htmx: bool = False) -> list[str]:
    """GET every URL; return what answered otherwise than promised or showed the other tenant."""
    found = []
    for name in walked(names):
        answers = {}
        for whose, url in addresses(name, viewer):
            answers[whose] = seen = viewer.get(url, htmx=htmx)
            what = f"{viewer.name}: GET {url} ({whose})"
            wanted = expected(ROUTES[name], viewer.name, whose, post=False)
            if seen.status not in wanted | {UNWRITTEN}:
                found.append(f"{what}: {seen.status}, not {sorted(wanted)}{seen.why}")
            found += _shown(what, viewer, seen.text, url)
            if viewer.name == "anonymous" and seen.status == 302 and not _to_sign_in(seen.location):
                found.append(f"{what}: leads to {seen.location}, not to the sign-in")
        found += _tells_apart(f"{viewer.name}: GET {name}", answers)
    return found


def probes(viewer: Viewer) -> list[str]:
    """GET every URL with ids and words of the other tenant in its query; nothing of the other tenant may show."""
    key, number = viewer.foreign.ids["active"], viewer.foreign.ids["inactive"]
    run, tenant = viewer.foreign.ids["run"], viewer.foreign.tenant.pk
    query = f"q=label&search=label&old={key}&new={number}&ids={key}&ids={number}&number={key}&id={key}&pk={key}"
    query += f"&numbers={key}&run={run}&tenant={tenant}&tenant_id={tenant}&all=1&scope=all&area=69&field=old"
    found = []
    queries = (query, f"{query}&verb=activate", "verb=withdraw&everything=all")
    for name, asked in itertools.product(walked(None), queries):
        if isinstance(ROUTES[name], Route):
            url = dict(addresses(name, viewer))["own"]
            url += ("&" if "?" in url else "?") + asked
            seen = viewer.get(url)
            what = f"{viewer.name}: GET {url}"
            if seen.status not in FINE | {403, UNWRITTEN}:
                found.append(f"{what}: {seen.status}{seen.why}")
            found += _shown(what, viewer, seen.text, *re.findall(r"\d{4,}", asked))
    return found


def pushes(viewer: Viewer, *, names: list[str] | None = None) -> list[str]:
    """POST to every URL, with own, foreign and missing ids; the other tenant's rows may not change by a bit."""
    found = []
    before = worlds.fingerprints(of=viewer.foreign.tenant.pk)
    for name in walked(names):
        route = ROUTES[name]
        if isinstance(route, Door):
            continue
        answers = {}
        for whose, url in addresses(name, viewer):
            what = f"{viewer.name}: POST {url} ({whose})"
            answers[whose] = seen = viewer.post(url, {})
            wanted = expected(route, viewer.name, whose, post=True)
            if seen.status not in wanted | {UNWRITTEN}:
                found.append(f"{what}: {seen.status}, not {sorted(wanted)}{seen.why}")
            found += _shown(what, viewer, seen.text, url)
            after = worlds.fingerprints(of=viewer.foreign.tenant.pk)
            found += [f"{what}: changed the other tenant's {table}" for table in worlds.changed(before, after)]
            before = after
        found += _tells_apart(f"{viewer.name}: POST {name}", answers)
    return found


# Letters drawn by lot may spell a short name: CSRF tokens, session keys, operation ids, signatures.
_RANDOM = re.compile(
    r"(?<=csrfmiddlewaretoken\" value=\")\w+|(?<=csrf-token\" content=\")\w+|(?<=_csrf=)[^;]+|(?<=_session=)[^;]+"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<=:)[\w-]{43}(?![\w-])"
)


def meant(text: str) -> str:
    """Return a text without the letters that were drawn by lot."""
    return _RANDOM.sub("", text)


def _shown(what: str, viewer: Viewer, text: str, *asked: str) -> list[str]:
    text = meant(text)
    for url in asked:  # what somebody typed may stand on the page again; only an id they did not know tells
        for digits in re.findall(r"\d{4,}", url):
            text = text.replace(digits, "")
    return [f"{what}: shows “{canary}”" for canary in worlds.seen(viewer.canaries, text)]


def _to_sign_in(location: str) -> bool:
    return location.startswith((reverse(settings.LOGIN_URL), reverse("portal:home")))


def _tells_apart(what: str, answers: Mapping[str, Answer]) -> list[str]:
    """A foreign id must look exactly like one that never was, but for the id itself and what is new in each answer."""
    if "foreign" not in answers:
        return []
    foreign, missing = plain(answers["foreign"]), plain(answers["missing"])
    if foreign == missing:
        return []
    lines = difflib.unified_diff(foreign[1].splitlines(), missing[1].splitlines(), n=0, lineterm="")
    return [f"{what}: a foreign id is told apart from a missing one", *list(lines)[3:9]]


_FRESH = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # operation ids
    r"|\b[7-9]\d{9}\b"  # the ids asked for
    r"|(?<=csrfmiddlewaretoken\" value=\")\w+|(?<=csrf-token\" content=\")\w+|(?<=_csrf=)[^;]+"
    r"|\b[0-9A-F]{8}\b"  # reference numbers
    r"|\d{1,3}:[\w-]{43}"  # signed tenants
    r"|(?<=expires=)[^;]+"
)


_CLOCK = re.compile(r"^(Expires|Content-Length|Set-Cookie: \w+_(session|csrf)\b).*\n", re.MULTILINE)


def plain(seen: Answer) -> tuple[int, str]:
    text = _FRESH.sub("…", _CLOCK.sub("", f"{seen.text}\n"))
    return seen.status, "\n".join(line for line in text.splitlines() if line.strip())
