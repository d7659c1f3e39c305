"""Real servers, two walls, and a fixed cast.

Acme: Alice (administrator), Bob (staff member), Dora (billing contact). Globex: Carl (administrator). Erika is
administrator of both, Olga the operator's agent.
"""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import dj_database_url
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client, TransactionTestCase
from django.test.utils import override_settings
from django.utils import translation

from portal import tenancy
from tests import mail_server, make, servers

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PROOF = os.environ.get("PORTAL_PROOF") == "1"
_stack = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker:
        os.environ["PORTAL_TEST_RUN"] = str(os.getpid())
        if "PORTAL_TEST_ADMIN" not in os.environ:  # else servers that somebody keeps running for many short runs
            running = _stack.enter_context(servers.serving())
            os.environ["PORTAL_TEST_ADMIN"] = running.admin_url
            os.environ["PORTAL_TEST_REDIS"] = running.redis_url
        _stack.callback(servers.drop, os.environ["PORTAL_TEST_ADMIN"], f"portal_{os.getpid()}_%")
    name = f"portal_{os.environ['PORTAL_TEST_RUN']}_{worker or 'main'}"
    address = settings.DATABASES["default"]  # in place: the connections already know this dictionary
    address |= dj_database_url.parse(os.environ["PORTAL_TEST_ADMIN"]) | {"NAME": name, "USER": "portal_test"}
    address |= {"OPTIONS": {"assume_role": "portal_app"}, "CONN_MAX_AGE": 0}
    settings.REDIS_URL = os.environ["PORTAL_TEST_REDIS"]
    settings.DATABASE_ROLE = "portal_app"


def pytest_unconfigure(config: pytest.Config) -> None:
    _stack.close()


@pytest.hookimpl(trylast=True)  # after the dice
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what may take long, by its own timeout: begun last, it would keep one core waiting for it."""
    items.sort(key=_patience, reverse=True)


def pytest_collection_finish() -> None:
    """What was loaded by now stays: the collector need not look at it again in each of thousands of tests."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _patience(item: pytest.Item) -> int:
    timeout = item.get_closest_marker("timeout")
    return int(timeout.args[0]) if timeout else 0


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> None:
    """Make this worker's database: created by its owner, used as `portal_app`."""
    servers.database(os.environ["PORTAL_TEST_ADMIN"], settings.DATABASES["default"]["NAME"])


def _flush(self: Any) -> None:
    connection.close()
    servers.flush(os.environ["PORTAL_TEST_ADMIN"], settings.DATABASES["default"]["NAME"])


TransactionTestCase._fixture_teardown = _flush  # type: ignore[attr-defined, method-assign]


@pytest.fixture(autouse=True)
def german() -> None:
    """Begin in German: the language of the last request of another test would go on in this thread."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture
def scale() -> Callable[[int], int]:
    """Return how often to do something: the full count in `make proof`, a tenth every day."""
    return lambda count: count if PROOF else max(1, count // 10)


@contextmanager
def _as_operator() -> Iterator[None]:
    """Act in this transaction as the operator's processes do: their role, every tenant."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        before = cursor.fetchone()[0]
        cursor.execute("SET LOCAL ROLE portal_ops")
        try:
            with tenancy.every_tenant(), override_settings(DATABASE_ROLE="portal_ops"):
                yield
        finally:
            if not connection.needs_rollback:
                cursor.execute(f"SET LOCAL ROLE {before}")


@pytest.fixture
def as_operator() -> Callable[[], Any]:
    return _as_operator


def people() -> SimpleNamespace:
    """Make the fixed cast, with a price list from 2020 on: 2.90 EUR (standard) and 4.90 EUR (premium) a month, net."""
    with transaction.atomic(), _as_operator():  # committed, where a test is not one transaction
        make.price("standard", monthly=Decimal("2.90"), valid_from=date(2020, 1, 1))
        make.price("premium", monthly=Decimal("4.90"), valid_from=date(2020, 1, 1))
        acme = make.tenant("Acme GmbH", slug="acme")
        globex = make.tenant("Globex AG", slug="globex")
        return SimpleNamespace(
            acme=acme,
            globex=globex,
            alice=make.user("alice@acme.example", "Alice Adler", {acme: "administrator"}),
            bob=make.user("bob@acme.example", "Bob Brandt", {acme: "staff"}),
            dora=make.user("dora@acme.example", "Dora Dietrich", {acme: "billing"}),
            carl=make.user("carl@globex.example", "Carl Conrad", {globex: "administrator"}),
            erika=make.user("erika@partner.example", "Erika Ernst", {acme: "administrator", globex: "administrator"}),
            olga=make.user("olga@operator.example", "Olga Otto", {}, is_operator=True),
        )


@pytest.fixture
def cast(db: None) -> SimpleNamespace:
    """The fixed cast."""
    return people()


@pytest.fixture
def peer(settings: Any) -> Iterator[Any]:
    """A real mail server in place of the company's, with a mood (`tests.mail_server.Peer`)."""
    with mail_server.serving(settings) as serving:
        yield serving


@pytest.fixture
def acme(cast: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """The cast, inside Acme's tenant transaction as Alice."""
    with tenancy.tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        yield cast


@pytest.fixture
def sign_in() -> Callable[..., Client]:
    """Return a function that gives a signed-in browser without the login form: `sign_in(cast.alice)`."""

    def _sign_in(user: Any, **options: Any) -> Client:
        client = Client(**options)
        client.force_login(user)
        make.just_signed_in(client, user)
        return client

    return _sign_in
