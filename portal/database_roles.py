"""The database, its three roles and what each may do, on any PostgreSQL from 17 on.

portal_owner owns the tables and is exempt from row-level security, for migrations. portal_app is what customers' pages
run as: it owns nothing and is exempt from nothing. portal_ops sees all tenants by a policy of its own and steps down
to portal_app for tenant work.
"""

from collections.abc import Mapping

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from portal.child import ServerError

OWNER, APP, OPS = "portal_owner", "portal_app", "portal_ops"
ROLES = (OWNER, APP, OPS)
EXTENSIONS = ("pg_trgm", "btree_gist", "unaccent")
OLDEST = 170000  # the builtin locale provider came with 17
LOCK = 0x5275666E  # any number that nothing else on the server uses

GRANTS = (
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE, CREATE ON SCHEMA public TO portal_owner",
    "GRANT USAGE ON SCHEMA public TO portal_app, portal_ops",
    "ALTER DEFAULT PRIVILEGES FOR ROLE portal_owner IN SCHEMA public"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO portal_app, portal_ops",
    "ALTER DEFAULT PRIVILEGES FOR ROLE portal_owner IN SCHEMA public"
    " GRANT USAGE, SELECT ON SEQUENCES TO portal_app, portal_ops",
    # Without a schema on purpose: within one, PostgreSQL can only add to what PUBLIC has.
    "ALTER DEFAULT PRIVILEGES FOR ROLE portal_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
)


def bootstrap(admin_dsn: str, database: str = "portal", passwords: Mapping[str, str] | None = None) -> None:
    """Create the three roles and `database`, or bring them to what they should be; safe to repeat.

    `admin_dsn` is the login of a superuser, or of one with CREATEDB, CREATEROLE and BYPASSRLS; its database name is
    ignored. `passwords` maps roles to passwords, a role without one keeps what it has.
    Raises ServerError when the server is too old or the database compares text in a way that breaks searching.
    """
    with psycopg.connect(make_conninfo(admin_dsn, dbname="postgres"), autocommit=True) as server:
        if server.info.server_version < OLDEST:
            raise ServerError(
                f"The portal needs PostgreSQL 17 or newer, this is {server.info.server_version // 10000}."
            )
        server.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        for role in ROLES:
            _ensure_role(server, role, (passwords or {}).get(role))
        server.execute("GRANT portal_app TO portal_ops WITH INHERIT FALSE, SET TRUE")
        server.execute("ALTER ROLE portal_app SET statement_timeout = '30s'")
        server.execute("ALTER ROLE portal_app SET idle_in_transaction_session_timeout = '60s'")
        _ensure_database(server, database)
        with psycopg.connect(make_conninfo(admin_dsn, dbname=database), autocommit=True) as inside:
            _prepare(inside, database)


def _ensure_role(server: psycopg.Connection, role: str, password: str | None) -> None:
    bypass, inherit = role == OWNER, role == OWNER
    found = server.execute(
        "SELECT rolcanlogin, rolbypassrls, rolinherit, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication"
        " FROM pg_roles WHERE rolname = %s",
        [role],
    ).fetchone()
    name = sql.Identifier(role)
    wanted = sql.SQL(f"LOGIN {'' if bypass else 'NO'}BYPASSRLS {'' if inherit else 'NO'}INHERIT")
    if found is None:
        server.execute(sql.SQL("CREATE ROLE {} WITH {}").format(name, wanted))
    elif found != (True, bypass, inherit, False):
        none = sql.SQL("NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION")
        server.execute(sql.SQL("ALTER ROLE {} WITH {} {}").format(name, wanted, none))
    if password:
        # Hashed here, so that the plain password is in no log of the server.
        verifier = server.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        server.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(verifier)))


def _ensure_database(server: psycopg.Connection, database: str) -> None:
    row = server.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if row != (True,):
        # Who is no superuser may give things to the owner only as its member.
        server.execute("GRANT portal_owner TO CURRENT_USER WITH INHERIT TRUE, SET TRUE")
    name = sql.Identifier(database)
    if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        server.execute(
            sql.SQL(
                "CREATE DATABASE {} OWNER portal_owner TEMPLATE template0 ENCODING 'UTF8'"
                " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
            ).format(name)
        )
    server.execute(sql.SQL("ALTER DATABASE {} OWNER TO portal_owner").format(name))


def _prepare(inside: psycopg.Connection, database: str) -> None:
    if inside.execute("SELECT 'Ä' ILIKE 'ä', getdatabaseencoding()").fetchone() != (True, "UTF8"):
        raise ServerError(
            f"The database {database} compares no umlauts; create it anew with the builtin provider and C.UTF-8."
        )
    for extension in EXTENSIONS:
        inside.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
    for statement in GRANTS:
        inside.execute(sql.SQL(statement))
