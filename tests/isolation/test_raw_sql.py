"""Wall 2 alone, table by table: SQL that forgot its WHERE, a foreign tenant's id, nobody announced."""

import os
from contextlib import contextmanager

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from psycopg.conninfo import make_conninfo

from portal import tenancy
from tests.isolation import known, walls
from tests.isolation import world as worlds

MODELS = {m._meta.db_table: m for m in apps.get_models() if any(f.name == "tenant" for f in m._meta.fields)}
TABLES = sorted(MODELS)
CHANGEABLE = [t for t in TABLES if "UPDATE" in known.RIGHTS.get(t, (known._ALL,))[0]]


def execute(sql, parameters=()):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.rowcount


@contextmanager
def tried():
    """Do it, and take it back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def counts(table):
    with worlds.everything():
        return dict(walls.rows(f"SELECT tenant_id, count(*) FROM {table} WHERE tenant_id IS NOT NULL GROUP BY 1"))


@pytest.fixture
def alone(world):
    """Acme is announced to PostgreSQL; no model, no manager takes part."""
    with tenancy.tenant_transaction(world.acme.tenant.pk, user_id=world.people.alice.pk):
        yield world


def test_every_tenants_table_is_in_this_proof(world):
    assert set(TABLES) | {"portal_tenant"} == walls.tenant_tables()
    assert {table for table in TABLES if len(counts(table)) < 2} == set(), "seed these tables for both tenants"


@pytest.mark.parametrize("table", TABLES)
def test_select_without_where_shows_own_rows(alone, table):
    own = {alone.acme.tenant.pk: counts(table)[alone.acme.tenant.pk]}

    found = dict(walls.rows(f"SELECT tenant_id, count(*) FROM {table} GROUP BY 1"))

    assert own[alone.acme.tenant.pk] > 0
    assert found == own


@pytest.mark.parametrize("table", CHANGEABLE)
def test_update_without_where_touches_own_rows(alone, table):
    before = counts(table)

    with tried():
        assert execute(f"UPDATE {table} SET tenant_id = tenant_id") == before[alone.acme.tenant.pk]
    with tried():
        assert execute(f"UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id = %s", [alone.globex.tenant.pk]) == 0
    with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        execute(f"UPDATE {table} SET tenant_id = %s", [alone.globex.tenant.pk])


@pytest.mark.parametrize("table", [table for table in CHANGEABLE if table != "portal_membership"])
def test_delete_without_where_touches_own_rows(alone, table):
    before = counts(table)

    with tried():
        execute("SET CONSTRAINTS ALL DEFERRED")
        assert execute(f"DELETE FROM {table}") == before.pop(alone.acme.tenant.pk)
        assert counts(table) == before


def test_delete_of_memberships_touches_own_rows_and_never_the_last_administrator(alone):
    before = counts("portal_membership")

    with tried():
        assert execute("DELETE FROM portal_membership WHERE role <> 'administrator'") == 2
        assert counts("portal_membership") == before | {alone.acme.tenant.pk: before[alone.acme.tenant.pk] - 2}
    with pytest.raises(IntegrityError, match="last administrator"), transaction.atomic():
        execute("DELETE FROM portal_membership")


@pytest.mark.parametrize("table", sorted(set(TABLES) - set(CHANGEABLE)))
def test_what_may_not_be_changed_is_refused(alone, table):
    for statement in (f"UPDATE {table} SET tenant_id = tenant_id", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            execute(statement)


@pytest.mark.parametrize("table", TABLES)
def test_truncate_and_copy_are_refused(alone, table):
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        execute(f"TRUNCATE {table} CASCADE")
    copied = pytest.raises(psycopg.Error, match="row-level security")
    with tried(), connection.cursor() as cursor, copied, cursor.copy(f"COPY {table} FROM STDIN"):
        pass


def copy_of_a_row(table, **changes):
    """Insert a copy of one of Acme's rows with a key of its own and these values."""
    model = MODELS[table]
    key = model._meta.pk
    fields = {f.column: f'"{f.column}"' for f in model._meta.local_concrete_fields}
    if key.column == "id":
        fields["id"] = "id + 555000"
    if "token_hash" in fields:  # unique in the world
        fields["token_hash"] = "token_hash || '-'"
    if "username" in fields:
        fields["username"] = "username || '-'"
    fields |= {column: str(int(value)) for column, value in changes.items()}
    columns = ", ".join(f'"{column}"' for column in fields)
    own = "tenant_id = (SELECT min(id) FROM portal_tenant WHERE slug = 'acme')"
    return execute(
        f"INSERT INTO {table} ({columns}) SELECT {', '.join(fields.values())} FROM {table} WHERE {own} LIMIT 1"
    )


@pytest.mark.parametrize("table", TABLES)
def test_insert_for_a_foreign_tenant_is_refused(alone, table):
    with pytest.raises(DatabaseError, match="new row violates row-level security"), transaction.atomic():
        copy_of_a_row(table, tenant_id=alone.globex.tenant.pk)


@pytest.mark.parametrize("table", sorted(set(TABLES) - {"portal_membership"}))
def test_nobody_announced_is_an_error(world, table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.tenant_id', true)")
        assert cursor.fetchone()[0] in (None, "")

    with pytest.raises(DatabaseError, match="no tenant announced"), transaction.atomic():
        execute(f"SELECT * FROM {table}")


def test_nobody_announced_sees_no_tenant_and_no_membership(world):
    assert walls.rows("SELECT * FROM portal_tenant") == []
    assert walls.rows("SELECT * FROM portal_membership") == []
    for statement in ("UPDATE portal_membership SET role = 'administrator'", "DELETE FROM portal_membership"):
        assert execute(statement) == 0


def test_a_person_sees_own_tenants_and_memberships_before_one_is_chosen(world):
    with transaction.atomic():
        tenancy.announce(user_id=world.people.erika.pk, tenant_id=None)
        assert {name for (name,) in walls.rows("SELECT slug FROM portal_tenant")} == {"acme", "globex"}
        tenancy.announce(user_id=world.people.carl.pk, tenant_id=None)
        assert walls.rows("SELECT slug FROM portal_tenant") == [("globex",)]
        assert {user for (user,) in walls.rows("SELECT user_id FROM portal_membership")} == {world.people.carl.pk}
        assert execute("UPDATE portal_membership SET role = 'staff'") == 0


def test_the_trace_takes_events_of_no_tenant_and_shows_them_to_nobody(alone):
    with tried():
        copy = (
            "INSERT INTO portal_auditevent (tenant_id, at, actor_name, on_behalf_of, verb, object_type, object_label,"
        )
        copy += " before, after, request_id) VALUES (NULL, now(), 'x', '', 'x', 'x', 'x', '{}', '{}', '')"
        assert execute(copy) == 1
        assert walls.rows("SELECT * FROM portal_auditevent WHERE tenant_id IS NULL") == []


CROSSING = [(model._meta.db_table, field.column, parent) for model, field, parent in walls.crossing()]
STAYING = {parent._meta.db_table for table, _, parent in CROSSING if table in known.APPEND_ONLY} | known.APPEND_ONLY


@pytest.mark.parametrize(("table", "column", "parent"), CROSSING, ids=lambda value: str(value))
def test_a_foreign_tenants_parent_is_refused_even_to_the_operator(world, table, column, parent):
    with worlds.everything():
        foreign = walls.rows(
            f"SELECT max(id) FROM {parent._meta.db_table} WHERE tenant_id = %s", [world.globex.tenant.pk]
        )[0][0]
        if table not in STAYING:  # make room: a unique key would hide what is proved here
            for child in [model._meta.db_table for model, _, above in walls.crossing() if above is MODELS[table]]:
                execute(f"DELETE FROM {child} WHERE tenant_id = %s", [world.globex.tenant.pk])
            execute(f"DELETE FROM {table} WHERE tenant_id = %s", [world.globex.tenant.pk])
        with pytest.raises(IntegrityError, match=f"{table}_{column}_same_tenant"), transaction.atomic():
            copy_of_a_row(table, **{column: foreign})


@pytest.mark.parametrize("table", sorted(known.APPEND_ONLY))
@pytest.mark.parametrize("verb", ["UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_append_only_holds_for_the_owner_too(world, table, verb):
    execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL ROLE portal_owner")

    with pytest.raises(DatabaseError, match="is append-only"), transaction.atomic():
        execute(verb.format(table))


@pytest.mark.parametrize("verb", ["UPDATE portal_auditevent SET verb = 'y'", "DELETE FROM portal_auditevent"])
def test_append_only_holds_for_a_superuser_too(db, verb):
    event = (
        "INSERT INTO portal_auditevent (at, actor_name, on_behalf_of, verb, object_type, object_label, before, after,"
    )
    event += " request_id) VALUES (now(), 'x', '', 'x', 'x', 'x', '{}', '{}', '')"
    database = settings.DATABASES["default"]["NAME"]
    with psycopg.connect(make_conninfo(os.environ["PORTAL_TEST_ADMIN"], dbname=database)) as admin:
        assert admin.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,)
        admin.execute(event)
        with pytest.raises(psycopg.Error, match="is append-only"):
            admin.execute(verb)
        admin.rollback()


def test_the_search_function_answers_for_the_announced_tenant_alone(alone):
    def found(*terms):
        return {pk for (pk,) in walls.rows("SELECT search_numbers(%s, 100)", [list(terms)])}

    assert found("label") == {alone.acme.ids[name] for name in worlds.NUMBERS}
    assert found("canary") == found("6990009") == set()
    assert found("%' OR tenant_id > 0 OR text LIKE '%") == found("\\") == found("_______canary") == set()
    with transaction.atomic():
        tenancy.announce(user_id=None, tenant_id=None)
        with pytest.raises(DatabaseError, match="no tenant announced"), transaction.atomic():
            found("label")


@pytest.mark.parametrize("verb", ["SELECT * FROM {}", "DELETE FROM {}", "UPDATE {} SET peer = 'x'", "TRUNCATE {}"])
def test_a_partition_cannot_be_reached_past_its_parent(alone, verb):
    """Its parent's policies do not stand before it: what keeps everybody out is that nobody may."""
    partition = f"numbers_callrecord_{worlds.NOW:%Y_%m}"

    with pytest.raises(DatabaseError, match=f"permission denied for table {partition}"), transaction.atomic():
        execute(verb.format(partition))
    with worlds.everything(), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        execute(verb.format(partition))


def test_a_partition_shows_nothing_even_to_whoever_was_granted_it(alone):
    partition = f"numbers_callrecord_{worlds.NOW:%Y_%m}"
    execute("SET LOCAL ROLE portal_owner")
    execute(f"GRANT SELECT ON {partition} TO portal_app")
    assert walls.rows(f"SELECT count(*) FROM {partition}") == [(2,)]

    execute("SET LOCAL ROLE portal_app")

    assert walls.rows(f"SELECT count(*) FROM {partition}") == [(0,)]


@pytest.mark.parametrize("function", ["create_call_month", "drop_call_month"])
def test_customers_can_neither_make_nor_drop_a_month(alone, function):
    with pytest.raises(DatabaseError, match="permission denied for function"), transaction.atomic():
        execute(f"SELECT {function}('2021-01-01')")
