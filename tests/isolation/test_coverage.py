"""Every table, model, foreign key, function, index and right is as the two walls need it, or exempt in writing."""

import pytest
from django.db import connection, models
from django.db.models import Manager

from numbers.models import PhoneNumber
from portal.tenancy import TenantModel
from tests.isolation import walls

CHECKS = (
    walls.unknown_relations,
    walls.policies,
    walls.partitions,
    walls.managers,
    walls.foreign_keys,
    walls.functions,
    walls.indexes,
    walls.rights,
    walls.append_only,
    walls.attached,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_walls_have_no_gap(db, check):
    assert check() == []


@pytest.fixture
def as_owner(db):
    """Act in this test's transaction as the role of migrations, to plant what a careless migration would."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE portal_owner")
        yield cursor.execute


TABLE = "CREATE TABLE leaky (id bigserial PRIMARY KEY, tenant_id bigint NOT NULL, text text)"
LOOSE = "CREATE POLICY own_tenant ON {table} USING (tenant_id = app_tenant() OR text = 'x') WITH CHECK (true)"
DEFINER = "CREATE FUNCTION leak() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM portal_tenant'"
NUMBER = "numbers_phonenumber"
FEBRUARY = "numbers_callrecord_2021_02"
MADE = "SELECT create_call_month('2021-02-01')"
PARTITION = (  # as somebody would make one by hand, with the rights that new tables get
    "CREATE TABLE numbers_callrecord_2021_01 PARTITION OF numbers_callrecord FOR VALUES FROM ('2021-01-01') TO"
    " ('2021-01-31')"
)

PLANTED = [
    (walls.unknown_relations, [TABLE], "leaky: no model and no exemption"),
    (walls.unknown_relations, ["CREATE VIEW all_numbers AS SELECT * FROM numbers_phonenumber"], "all_numbers: a view"),
    (walls.unknown_relations, ["CREATE MATERIALIZED VIEW totals AS SELECT 1 AS one"], "totals: a materialised view"),
    (walls.unknown_relations, ["ALTER TABLE billing_price ADD tenant_id bigint"], "billing_price: exempt, but has"),
    (walls.policies, [TABLE], "leaky: row-level security is not enabled"),
    (walls.policies, [TABLE, "ALTER TABLE leaky ENABLE ROW LEVEL SECURITY"], "leaky: row-level security is not forced"),
    (walls.policies, [f"ALTER TABLE {NUMBER} NO FORCE ROW LEVEL SECURITY"], f"{NUMBER}: row-level security is not"),
    (walls.policies, [f"DROP POLICY own_tenant ON {NUMBER}"], f"{NUMBER}: lacks the policy"),
    (walls.policies, [TABLE, LOOSE.format(table="leaky")], "leaky: unknown policy"),
    (walls.policies, [f"CREATE POLICY all_see ON {NUMBER} FOR SELECT USING (true)"], f"{NUMBER}: unknown policy"),
    (walls.policies, [f"ALTER POLICY own_tenant ON {NUMBER} WITH CHECK (true)"], f"{NUMBER}: unknown policy"),
    (walls.policies, [f"ALTER POLICY operator ON {NUMBER} TO PUBLIC"], f"{NUMBER}: unknown policy"),
    (
        walls.foreign_keys,
        ["ALTER TABLE numbers_forwarding DROP CONSTRAINT numbers_forwarding_number_id_same_tenant"],
        "numbers.Forwarding.number: no foreign key",
    ),
    (
        walls.foreign_keys,
        [f"ALTER TABLE numbers_forwarding ADD FOREIGN KEY (number_id) REFERENCES {NUMBER} (id)"],
        "numbers_forwarding: plain foreign key (number_id)",
    ),
    (walls.functions, [DEFINER], "leak(): unknown SECURITY DEFINER function"),
    (walls.functions, [DEFINER], "leak(): its search path is not pinned"),
    (walls.functions, ["ALTER FUNCTION app_tenant() VOLATILE"], "app_tenant(): not STABLE"),
    (walls.functions, ["GRANT EXECUTE ON FUNCTION search_numbers TO PUBLIC"], "search_numbers(text[],integer): every"),
    (walls.indexes, [f"CREATE INDEX slow ON {NUMBER} (label)"], f"slow on {NUMBER}: leads with label"),
    (walls.rights, [f"GRANT TRUNCATE ON {NUMBER} TO portal_app"], f"{NUMBER}: portal_app may"),
    (walls.rights, ["GRANT UPDATE ON billing_price TO portal_app"], "billing_price: portal_app may"),
    (walls.rights, ["GRANT UPDATE (before) ON portal_auditevent TO portal_ops"], "portal_auditevent: portal_ops may"),
    (walls.rights, [f"GRANT SELECT ON {NUMBER} TO PUBLIC"], f"{NUMBER}: everybody has rights"),
    (walls.unknown_relations, ["CREATE TABLE parts (id bigint) PARTITION BY RANGE (id)"], "parts: a partitioned table"),
    (walls.partitions, [PARTITION], "numbers_callrecord_2021_01: row-level security is not forced"),
    (walls.partitions, [PARTITION], "numbers_callrecord_2021_01: portal_app may SELECT"),
    (
        walls.partitions,
        [MADE, "GRANT SELECT (peer) ON numbers_callrecord_2021_02 TO portal_app"],
        f"{FEBRUARY}: portal",
    ),
    (walls.partitions, [MADE, f"CREATE POLICY p ON {FEBRUARY} USING (true)"], f"{FEBRUARY}: has a policy"),
    (walls.partitions, [MADE, f"ALTER TABLE {FEBRUARY} NO FORCE ROW LEVEL SECURITY"], f"{FEBRUARY}: row-level"),
    (walls.append_only, ["DROP TRIGGER append_only ON portal_auditevent"], "portal_auditevent: no trigger refuses UP"),
    (walls.append_only, ["ALTER TABLE billing_slotmove DISABLE TRIGGER USER"], "billing_slotmove: no trigger refuses"),
]


@pytest.mark.parametrize(("check", "statements", "finding"), PLANTED)
def test_a_planted_gap_in_the_database_is_found(as_owner, check, statements, finding):
    for statement in statements:
        as_owner(statement)

    assert [found for found in check() if found.startswith(finding)]


@pytest.fixture
def leaky():
    """Models as a careless colleague would write them; taken off Django's list again."""
    from django.apps import apps

    class Leaky(TenantModel):
        number = models.ForeignKey(PhoneNumber, on_delete=models.CASCADE, related_name="+")
        everything = Manager()

        class Meta:
            app_label = "numbers"
            base_manager_name = "everything"

    class Loose(models.Model):  # noqa: DJ008 -- careless is what it is here for
        tenant = models.ForeignKey("portal.Tenant", on_delete=models.CASCADE, related_name="+")

        class Meta:
            app_label = "numbers"

    yield [Leaky, Loose]
    del apps.all_models["numbers"]["leaky"], apps.all_models["numbers"]["loose"]
    apps.clear_cache()


@pytest.mark.parametrize(
    ("check", "finding"),
    [
        (walls.managers, "numbers.Leaky: the manager everything does not filter on the tenant"),
        (walls.managers, "numbers.Loose: has a tenant and is no TenantModel"),
        (walls.foreign_keys, "numbers.Leaky.number: no foreign key (tenant_id, number_id)"),
        (walls.foreign_keys, "numbers.Leaky.number: db_constraint is on"),
        (walls.attached, "numbers.Leaky: points at a number and is not attached"),
    ],
)
def test_a_planted_model_is_found(db, leaky, check, finding):
    assert finding in check(leaky)


def test_a_model_that_is_planted_for_real_fails_the_suite(db, leaky):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE portal_owner")
    with connection.schema_editor() as editor:
        editor.create_model(leaky[1])

    assert "numbers_loose: row-level security is not enabled" in walls.policies()
    assert "numbers_loose: lacks the policy" in " ".join(walls.policies())
    assert "numbers.Loose: has a tenant and is no TenantModel" in walls.managers()
