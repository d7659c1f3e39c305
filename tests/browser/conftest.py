"""A real browser before the real application.

One Chromium per run and one context per visitor; the server is the WSGI application in threads of this process, with
the role and the static files it has in production. A visit ends with the claim that nothing went wrong in it: no
script error, no violation of the content security policy, no file missing, no answer 500 that the test did not expect.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect, sync_playwright

from portal import tenancy
from portal.models import User
from tests import make
from tests.browser.looks import BUILT, DESKTOP
from tests.conftest import PROOF
from tests.fax import gunicorn

CHROMIUM = Path("/usr/bin/chromium-headless-shell")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 15_000  # ms to wait for what a page should show; only a failing test needs it
LISTENER = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`))"""


@pytest.hookimpl(tryfirst=True)  # before pytest picks what `-m` names
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass
class Watch:
    """What went wrong in the pages of a test; `expects` names the refusals that are part of it."""

    faults: list[str] = field(default_factory=list)
    expects: set[int] = field(default_factory=set)

    def follow(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("console", self._hear)
        page.on("response", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:  # `_see` knows its status
            self.faults.append(f"{message.location.get('url')}: {message.text}")

    def _see(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expects:
            self.faults.append(f"{response.request.method} {response.url}: {response.status}")


@dataclass(frozen=True)
class Manner:
    """How a visitor comes: in which language, and with or without JavaScript."""

    language: str
    js: bool

    def __str__(self) -> str:
        return f"{self.language}-{'js' if self.js else 'plain'}"


# Every day in each language and each with and without scripts, in the proof in all combinations.
MANNERS = [Manner("de", True), Manner("en", False)] + [Manner("de", False), Manner("en", True)] * PROOF


@pytest.fixture(params=MANNERS, ids=str)
def manner(request: pytest.FixtureRequest) -> Manner:
    return request.param


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start the browser; without it there is nothing to test, so a test that lacks it fails."""
    if not CHROMIUM.is_file():
        pytest.fail(
            f"There is no browser at {CHROMIUM}; install it (Debian: apt-get install chromium-headless-shell).",
            pytrace=False,
        )
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop of its own in this thread
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def served() -> Iterator[str]:
    """Serve the application on a port of its own; return its address."""
    missing = [name for name in ("app.css", "app.js", "theme.js", "icons.svg") if not (BUILT / name).is_file()]
    if missing:
        pytest.fail(f"The front end is not built ({', '.join(missing)} missing); run `npm run build`.", pytrace=False)
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Silent)
    server.daemon_threads = True
    server.set_app(get_wsgi_application())
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Watch every page of the test; fail it at its end if anything went wrong in one of them."""
    watch = Watch()
    yield watch
    assert watch.faults == []


@pytest.fixture
def visit(chromium: Browser, served: str, transactional_db: None, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a window: `visit(cast.alice, "de", js=False)`, signed in if somebody is named."""
    contexts: list[BrowserContext] = []

    def _visit(who: User | None = None, language: str = "de", *, js: bool = True, **options: Any) -> Page:
        options = {
            "base_url": served,
            "viewport": DESKTOP,
            "reduced_motion": "reduce",
            "locale": f"{language}-DE",
        } | options
        context = chromium.new_context(java_script_enabled=js, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.on("page", watch.follow)
        if js:
            context.add_init_script(LISTENER)
        context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": served}])
        if who is not None:
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": session(who, language), "url": served}]
            )
        return context.new_page()

    yield _visit
    for context in contexts:
        context.close()


def session(who: User, language: str) -> str:
    """Sign somebody in as the sign-in page would, a moment ago and with a password; return the session's key."""
    User.objects.filter(pk=who.pk).update(language=language)
    client = Client()
    client.force_login(User.objects.get(pk=who.pk))
    make.just_signed_in(client, who)
    return client.session.session_key


@pytest.fixture(scope="session")
def console(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the operator's console as it is in production: a process of its own; return its address."""
    with gunicorn.serving(tmp_path_factory.mktemp("console"), process="operator") as (port, _log):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def desk(visit: Callable[..., Page], console: str, cast: SimpleNamespace) -> Callable[[str], Page]:
    """Return a function that opens a window of the operator's console, with Olga signed in: `desk("de")`."""

    def _desk(language: str) -> Page:
        page = visit(None, language, base_url=console)
        key = {"name": "operator_session", "value": session(cast.olga, language), "url": console}
        page.context.add_cookies([key])
        return page

    return _desk


@pytest.fixture
def in_acme(transactional_db: None, cast: SimpleNamespace) -> Callable[[], AbstractContextManager[None]]:
    """Return what opens a transaction as Alice in Acme: `with in_acme(): make.number()`; at its end all is there."""
    return lambda: tenancy.tenant_transaction(cast.acme.pk, user_id=cast.alice.pk)
