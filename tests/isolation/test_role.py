"""First of all: who are we? As superuser, owner or one who bypasses, nothing that is proved here means anything."""

import os
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import override_settings

from portal import checks
from tests.isolation import walls


def test_tests_run_as_a_role_that_cannot_look_past_the_walls(db):
    [role] = walls.rows(
        "SELECT current_user, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,"
        " EXISTS (SELECT 1 FROM pg_class WHERE relowner = pg_roles.oid),"
        " pg_has_role(current_user, 'portal_ops', 'MEMBER'), pg_has_role(current_user, 'portal_owner', 'MEMBER')"
        " FROM pg_roles WHERE rolname = current_user"
    )

    assert role == ("portal_app", *[False] * 8)
    assert refused() is None


def test_the_operators_role_owns_and_bypasses_nothing(db):
    assert walls.rows(
        "SELECT rolsuper, rolbypassrls, rolinherit, EXISTS (SELECT 1 FROM pg_class WHERE relowner = pg_roles.oid)"
        " FROM pg_roles WHERE rolname = 'portal_ops'"
    ) == [(False, False, False, False)]


def refused():
    """Return what the system check says, or None; the process must stop for the same reason."""
    found = checks.database_role_cannot_bypass(databases=["default"])
    assert [message.id for message in found] in ([], ["portal.C001"])
    return found[0].msg if found else None


@contextmanager
def logged_in_as(user):
    """Let Django's connection be one of this login, as a wrong DATABASE_URL would."""
    own = connections["default"]
    other = connections.create_connection("default")
    other.settings_dict = own.settings_dict | {"USER": user, "OPTIONS": {}}
    connections["default"] = other
    try:
        yield
    finally:
        other.close()
        connections["default"] = own


@pytest.fixture
def superuser(db):
    return urlsplit(os.environ["PORTAL_TEST_ADMIN"]).username


@pytest.mark.parametrize("process", ["portal_app", "portal_ops"])
@pytest.mark.parametrize("login", ["superuser", "portal_owner"])
def test_no_process_starts_as_superuser_or_owner(superuser, process, login):
    with logged_in_as(superuser if login == "superuser" else login), override_settings(DATABASE_ROLE=process):
        assert "could look past row-level security" in refused()
        with pytest.raises(SystemExit, match="could look past"):
            checks.insist()


def test_the_web_does_not_start_as_the_operator(db):
    with logged_in_as("portal_ops"):
        assert "would see every tenant" in refused()
        with override_settings(DATABASE_ROLE="portal_ops"):
            assert refused() is None


def test_migrations_may_run_as_the_owner(db):
    with logged_in_as("portal_owner"), override_settings(PROCESS="migrate"):
        assert refused() is None
        checks.insist()


@pytest.mark.parametrize(
    ("process", "command"),
    [
        ("web", ["-c", "import portal.wsgi"]),
        ("operator", ["-c", "import portal.wsgi"]),
        ("worker", ["-m", "celery", "-A", "portal.celery", "worker", "--pool=solo", "--without-mingle"]),
    ],
)
def test_a_process_that_could_bypass_ends_before_it_serves(db, process, command):
    admin = os.environ["PORTAL_TEST_ADMIN"]
    url = admin.rsplit("/", 1)[0] + "/" + settings.DATABASES["default"]["NAME"]
    settled = {"DJANGO_SETTINGS_MODULE": "portal.settings", "PORTAL_PROCESS": process, "PORTAL_SECURE": "0"}
    settled |= {"DATABASE_URL": url, "REDIS_URL": os.environ["PORTAL_TEST_REDIS"]}

    ended = subprocess.run(
        [sys.executable, *command], env=os.environ | settled, capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode != 0
    assert "could look past row-level security" in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "making",
    [
        "CREATE ROLE planted BYPASSRLS",
        "CREATE ROLE planted; GRANT CREATE ON SCHEMA public TO planted; CREATE TABLE own (id int);"
        "ALTER TABLE own OWNER TO planted",
        "CREATE ROLE planted INHERIT; GRANT portal_owner TO planted",
        "CREATE ROLE planted NOINHERIT; GRANT portal_owner TO planted WITH INHERIT FALSE, SET TRUE",
        "CREATE ROLE planted INHERIT; GRANT portal_ops TO planted",
        "CREATE ROLE planted NOINHERIT; GRANT portal_ops TO planted WITH INHERIT FALSE, SET TRUE",
    ],
    ids=["bypasses", "owns", "inherits-owner", "may-become-owner", "inherits-operator", "may-become-operator"],
)
def test_a_role_that_comes_by_such_power_is_refused(superuser, making):
    with logged_in_as(superuser), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(making + "; GRANT USAGE ON SCHEMA public TO planted; SET LOCAL ROLE planted")
        assert refused()
        transaction.set_rollback(True)  # no other run of tests on this server ever sees the role
