"""The embedded servers really start here, each test on a data folder of its own or on the module's."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psycopg
import pytest
import redis

from portal import cluster, servers
from portal.child import Account, ServerError

pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def running():
    with servers.scratch() as place, servers.running(place, durable=False) as found:
        yield found


def query(url, statement, *parameters):
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement, parameters).fetchall()


def run(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def processes_of(place):
    """The command lines that name `place` or its sockets, this test's own aside."""
    marks = (str(place).encode(), str(servers.socket_dir(place)).encode())
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if any(mark in line for mark in marks):
                found.append(line)
    return found


def wait_until(true, seconds=15.0):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def holder(place):
    """A process of its own that holds the servers of `place` until it dies."""
    code = f"""
        import time
        from portal import servers
        with servers.running({str(place)!r}, durable=True):
            print("ready", flush=True)
            time.sleep(600)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    return process


def test_addresses_are_pure(tmp_path):
    place = tmp_path / "nothing"

    found = servers.database_url(place, "portal_app"), servers.redis_url(place)

    sockets = servers.socket_dir(place)
    assert found == (
        f"postgresql://portal_app@%2Ftmp%2F{sockets.name}%2Fpg/portal",
        f"unix://{sockets}/redis.sock?db=0",
    )
    assert not place.exists()
    assert not sockets.exists()
    assert len(f"{sockets}/pg/.s.PGSQL.5432.lock") < 107


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("unix:///tmp/a/redis.sock?db=0", "redis+socket:///tmp/a/redis.sock?virtual_host=0"),
        ("redis://example:6379/1", "redis://example:6379/1"),
    ],
)
def test_broker_url_speaks_celerys_dialect(url, expected):
    assert servers.broker_url(url) == expected


def test_roles_have_exactly_their_attributes(running):
    found = query(
        running.admin_url,
        "SELECT rolname, rolcanlogin, rolbypassrls, rolinherit, rolsuper, rolcreaterole, rolcreatedb, rolreplication"
        " FROM pg_roles WHERE rolname LIKE 'portal%%' ORDER BY rolname",
    )

    assert found == [
        ("portal_app", True, False, False, False, False, False, False),
        ("portal_ops", True, False, False, False, False, False, False),
        ("portal_owner", True, True, True, False, False, False, False),
    ]


def test_ops_may_step_down_to_app_and_app_may_not_step_up(running):
    with psycopg.connect(running.database_url("portal_ops")) as ops:
        ops.execute("SET LOCAL ROLE portal_app")
        assert ops.execute("SELECT current_user").fetchone() == ("portal_app",)

    for role in ("portal_ops", "portal_owner", "postgres"):
        with (
            psycopg.connect(running.database_url("portal_app")) as app,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            app.execute(f"SET ROLE {role}")


def test_tables_of_the_owner_are_usable_but_not_changeable_by_the_app(running):
    app = running.database_url("portal_app")
    run(running.database_url("portal_owner"), "CREATE TABLE thing (id serial PRIMARY KEY)")
    run(running.database_url("portal_owner"), "CREATE FUNCTION one() RETURNS int LANGUAGE sql RETURN 1")

    assert query(app, "INSERT INTO thing DEFAULT VALUES RETURNING id") == [(1,)]
    for forbidden in ("TRUNCATE thing", "DROP TABLE thing", "CREATE TABLE other (id int)", "SELECT one()"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            run(app, forbidden)


def test_app_has_time_limits(running):
    found = query(
        running.database_url("portal_app"),
        "SELECT current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')",
    )

    assert found == [("30s", "1min")]


def test_database_knows_umlauts_and_speaks_on_no_port(running):
    found = query(
        running.database_url("portal_app"),
        "SELECT 'Ä' ILIKE 'ä', unaccent('Müller'), datlocprovider, datlocale, current_setting('listen_addresses')"
        " FROM pg_database WHERE datname = 'portal'",
    )
    ours, theirs = query(running.database_url("portal_app"), "SELECT show_trgm('Ärü'), show_trgm('rü')")[0]

    assert found == [(True, "Muller", "b", "C.UTF-8", "")]
    assert set(theirs) - set(ours) != set()  # with LC_CTYPE C both would be the trigrams of a bare r


def test_bootstrap_twice_is_harmless_and_repairs(running):
    run(running.admin_url, "ALTER ROLE portal_app BYPASSRLS CREATEDB INHERIT")

    for _ in range(2):
        servers.bootstrap(running.admin_url, "portal", {"portal_app": "a-password"})

    found = query(
        running.admin_url,
        "SELECT rolbypassrls, rolcreatedb, rolinherit, rolpassword LIKE 'SCRAM-SHA-256$%%'"
        " FROM pg_authid WHERE rolname = 'portal_app'",
    )
    assert found == [(False, False, False, True)]


def test_bootstrap_refuses_a_database_that_knows_no_umlauts(running):
    run(running.admin_url, "CREATE DATABASE deaf TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")

    with pytest.raises(ServerError, match="compares no umlauts"):
        servers.bootstrap(running.admin_url, "deaf")


def test_second_start_on_the_folder_is_refused(running):
    with (
        pytest.raises(ServerError, match=f"already served by process {os.getpid()};"),
        servers.running(running.data_dir),
    ):
        pytest.fail("two servers on one folder")


def test_immediate_restart_keeps_what_was_committed(running):
    owner = running.database_url("portal_owner")
    run(owner, "CREATE TABLE kept (n int)")
    query(owner, "INSERT INTO kept VALUES (7) RETURNING n")

    running.postgres.restart(immediate=True)

    assert query(owner, "SELECT n FROM kept") == [(7,)]


def test_killed_postgres_starts_again(running):
    os.kill(running.postgres.pid, signal.SIGKILL)
    running.postgres.process.wait()

    running.postgres.start()

    assert query(running.admin_url, "SELECT 1") == [(1,)]


def test_redis_stops_and_starts(running):
    client = redis.Redis.from_url(running.redis_url)
    assert client.ping()

    running.redis.stop()
    with pytest.raises(redis.ConnectionError):
        client.ping()
    running.redis.start()

    assert client.ping()


def test_kill_of_the_holder_leaves_nothing_and_loses_nothing():
    with servers.scratch() as place:
        first = holder(place)
        run(servers.database_url(place, "portal_owner"), "CREATE TABLE kept AS SELECT 7 AS n")
        with first:
            first.kill()

        with servers.running(place) as again:  # at once, while the old servers are still dying
            assert query(again.database_url("portal_owner"), "SELECT n FROM kept") == [(7,)]

        wait_until(lambda: not processes_of(place))


def test_orderly_end_leaves_no_process():
    with servers.scratch() as place:
        with servers.running(place, durable=False):
            assert len(processes_of(place)) > 1

        assert processes_of(place) == []


def test_parents_keep_their_mode_and_a_closed_one_is_no_obstacle(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = [folder.stat().st_mode for folder in closed.parents]
    place = closed / "data"

    try:
        with servers.running(place, durable=False, redis=False) as found:
            assert query(found.admin_url, "SELECT 1") == [(1,)]

        assert closed.stat().st_mode & 0o777 == 0o700
        assert [folder.stat().st_mode for folder in closed.parents] == before
        # As root the data lies where PostgreSQL's user may go; for anybody else it lies where it was wanted.
        assert (place / "postgres").is_symlink() == (os.geteuid() == 0)
    finally:
        servers.remove(place)
    assert not place.exists()


@pytest.mark.serial  # it forks itself, and a worker of xdist has threads
def test_ordinary_user_runs_both_servers():
    if os.geteuid() != 0:
        with servers.scratch() as place, servers.running(place, durable=False) as found:
            assert (place / "postgres").stat().st_uid == os.geteuid()
            assert query(found.admin_url, "SELECT 1") == [(1,)]
        return
    with servers.scratch() as place:
        os.chown(place, 65534, 65534)
        child = os.fork()  # not a new interpreter: Python itself may lie where only root may go
        if child == 0:
            status = 1
            try:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
                cluster.OURSELVES = Account(65534, 65534)
                with servers.running(place, durable=False) as found:
                    status = 0 if query(found.admin_url, "SELECT 1") == [(1,)] else 2
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert (place / "postgres").stat().st_uid == 65534


def test_folder_of_somebody_else_is_refused(tmp_path):
    place = tmp_path / "data"
    servers.socket_dir(place).symlink_to(tmp_path)

    try:
        with pytest.raises(ServerError, match="made by somebody else"), servers.running(place):
            pytest.fail("sockets in a place of somebody else")
    finally:
        servers.socket_dir(place).unlink()
