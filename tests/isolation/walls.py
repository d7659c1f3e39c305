"""Reads the catalogue of the database and says what is missing in the walls; each function returns findings."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import connection, models

from numbers import attachments
from numbers.models import PhoneNumber
from portal.models import Tenant
from portal.tenancy import TenantManager, TenantModel
from tests.isolation import known

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")


def rows(sql: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(parameters))
        return cursor.fetchall()


def tables() -> set[str]:
    found = rows(f"SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition AND {_OURS}")
    return {name for (name,) in found}


def tenant_tables() -> set[str]:
    """Return the tables that hold something of a tenant: all that have the column, and the tenants' own."""
    found = rows(
        "SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE attname = 'tenant_id' AND NOT attisdropped AND relkind IN ('r', 'p') AND NOT relispartition"
        f" AND {_OURS}"
    )
    return {name for (name,) in found} | {Tenant._meta.db_table}


_OURS = "relnamespace = 'public'::regnamespace"


def unknown_relations() -> list[str]:
    """Every table belongs to a model or is exempt, and nothing else exists that could show a tenant's rows."""
    modelled = {m._meta.db_table for m in apps.get_models(include_auto_created=True)}
    kinds = {"v": "view", "m": "materialised view", "f": "foreign table", "p": "partitioned table"}
    found = [f"{name}: no model and no exemption" for name in tables() - modelled - set(known.EXEMPT)]
    found += [f"{name}: exempt, but does not exist" for name in set(known.EXEMPT) - tables()]
    found += [f"{name}: exempt, but has a tenant" for name in set(known.EXEMPT) & tenant_tables()]
    found += [f"{name}: exempt without a reason" for name, reason in known.EXEMPT.items() if len(reason) < 10]
    found += [f"{name}: neither a tenant's nor exempt" for name in tables() - tenant_tables() - set(known.EXEMPT)]
    others = rows(f"SELECT relname, relkind::text FROM pg_class WHERE relkind IN ('v', 'm', 'f', 'p') AND {_OURS}")
    proven = known.PARTITIONED
    found += [f"{name}: a {kinds[kind]} needs a proof of its own" for name, kind in others if name not in proven]
    found += [f"{name}: listed as partitioned, but is not" for name in set(proven) - {n for n, k in others if k == "p"}]
    schemas = rows(
        "SELECT DISTINCT relnamespace::regnamespace::text FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f')"
        " AND relpersistence <> 't' AND relnamespace::regnamespace::text NOT IN"
        " ('public', 'pg_catalog', 'information_schema')"
    )
    return sorted(found + [f"{name}: a schema of its own" for (name,) in schemas])


def policies() -> list[str]:
    """Every tenant's table has row-level security, enabled and forced, with exactly the policies written down."""
    found = []
    classes = rows("SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class")
    switches = {name: (enabled, forced) for name, enabled, forced in classes}
    for table in sorted(tenant_tables()):
        enabled, forced = switches[table]
        if not enabled:
            found.append(f"{table}: row-level security is not enabled")
        if not forced:
            found.append(f"{table}: row-level security is not forced")
        present = {
            (name, ",".join(roles), command, _flat(using), _flat(check))
            for name, roles, command, using, check in rows(
                "SELECT policyname, roles::text[], cmd, qual, with_check FROM pg_policies"
                " WHERE schemaname = 'public' AND permissive = 'PERMISSIVE' AND tablename = %s",
                [table],
            )
        }
        expected = known.SPECIAL_POLICIES.get(table, known.ORDINARY)
        found += [f"{table}: lacks the policy {policy}" for policy in sorted(expected - present, key=str)]
        found += [f"{table}: unknown policy {policy}" for policy in sorted(present - expected, key=str)]
    gone = set(known.SPECIAL_POLICIES) - tenant_tables()
    return found + [f"{table}: special policies, but no tenant's table" for table in sorted(gone)]


def partitions() -> list[str]:
    """No partition can be reached past its parent: no rights, row-level security forced, no policy that lets in."""
    found = []
    present = rows(
        "SELECT relname, inhparent::regclass::text, relrowsecurity AND relforcerowsecurity, relowner::regrole::text,"
        " (SELECT count(*) FROM pg_policy WHERE polrelid = pg_class.oid), relacl::text"
        " FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
        f" WHERE relispartition AND relkind IN ('r', 'p', 'f') AND {_OURS}"
    )
    for name, parent, forced, owner, policies, _ in present:
        if parent not in known.PARTITIONED:
            found.append(f"{name}: a partition of {parent}, which is not listed")
        if not forced:
            found.append(f"{name}: row-level security is not forced")
        if policies:
            found.append(f"{name}: has a policy of its own")
        if owner != "portal_owner":
            found.append(f"{name}: belongs to {owner}")
        granted = [(role, p) for role in ("portal_app", "portal_ops", "public") for p in _granted(role, name)]
        found += [f"{name}: {role} may {privilege}" for role, privilege in granted]
    partitioned = {parent for _, parent, *_ in present}
    return found + [f"{table}: has no partition to prove" for table in set(known.PARTITIONED) - partitioned]


def _flat(expression: str | None) -> str | None:
    return " ".join(expression.split()) if expression is not None else None


def managers(of: Iterable[type[models.Model]] | None = None) -> list[str]:
    """Wall 1 stands before every model with a tenant: each of its managers filters, the base manager too."""
    found = []
    for model in of if of is not None else apps.get_models(include_auto_created=True):
        if model is Tenant or not any(field.name == "tenant" for field in model._meta.fields):
            continue
        label = model._meta.label
        if not issubclass(model, TenantModel):
            if label not in known.WITHOUT_MANAGER:
                found.append(f"{label}: has a tenant and is no TenantModel")
            continue
        for manager in {model._base_manager, model._default_manager, *model._meta.managers}:
            if not isinstance(manager, TenantManager):
                found.append(f"{label}: the manager {manager.name} does not filter on the tenant")
            elif type(manager).get_queryset is not TenantManager.get_queryset:
                found.append(f"{label}: the manager {manager.name} has a get_queryset of its own")
    return sorted(set(found))


def foreign_keys(of: Iterable[type[models.Model]] | None = None) -> list[str]:
    """Between two tenants' tables there are only foreign keys that carry the tenant, checked at once."""
    found = []
    constraints = _constraints()
    for model, field, parent in crossing(of):
        name, wanted = f"{model._meta.label}.{field.name}", ("tenant_id", field.column)
        if (model._meta.db_table, wanted, parent._meta.db_table, ("tenant_id", "id")) not in constraints:
            found.append(f"{name}: no foreign key (tenant_id, {field.column})")
        if field.db_constraint:
            found.append(f"{name}: db_constraint is on")
    tenants = tenant_tables() - {Tenant._meta.db_table}
    for (child, columns, parent, _), (valid, deferrable, deferred) in sorted(constraints.items()):
        if child in tenants and parent in tenants and columns[:1] != ("tenant_id",):
            found.append(f"{child}: plain foreign key ({', '.join(columns)}) to {parent}")
        if len(columns) == 2 and (not valid or not deferrable or deferred):
            found.append(f"{child}: foreign key ({', '.join(columns)}) is not checked at once")
    return found


def crossing(
    of: Iterable[type[models.Model]] | None = None,
) -> list[tuple[type[models.Model], Any, type[models.Model]]]:
    """Return (model, field, parent) of every foreign key between two tenants' models."""
    return [
        (model, field, field.related_model)
        for model in (of if of is not None else apps.get_models(include_auto_created=True))
        for field in model._meta.local_fields
        if field.many_to_one or field.one_to_one
        if issubclass(model, TenantModel) and issubclass(field.related_model, TenantModel)
    ]


def _constraints() -> dict[tuple[str, tuple[str, ...], str, tuple[str, ...]], tuple[bool, bool, bool]]:
    names = "(SELECT array_agg(attname::text ORDER BY place) FROM unnest({0}) WITH ORDINALITY AS k (number, place)"
    names += " JOIN pg_attribute ON attrelid = {1} AND attnum = number)"
    found = rows(
        f"SELECT conrelid::regclass::text, {names.format('conkey', 'conrelid')}, confrelid::regclass::text,"
        f" {names.format('confkey', 'confrelid')}, convalidated, condeferrable, condeferred"
        " FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
    )
    return {(child, tuple(columns), parent, tuple(keys)): (v, d, i) for child, columns, parent, keys, v, d, i in found}


def functions() -> list[str]:
    """Functions with their owner's rights are known, pin their search path and are nobody's by default."""
    found = []
    present = rows(
        "SELECT oid::regprocedure::text, prosecdef, proconfig, provolatile::text, proowner::regrole::text,"
        " has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS"
        " (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND classid = 'pg_proc'::regclass AND deptype = 'e')"
    )
    for name, definer, config, volatility, owner, public in present:
        if public:
            found.append(f"{name}: everybody may execute it")
        if definer and name not in known.DEFINERS:
            found.append(f"{name}: unknown SECURITY DEFINER function")
        if definer and not any(setting.startswith("search_path=pg_catalog") for setting in config or []):
            found.append(f"{name}: its search path is not pinned")
        if definer and not any(setting.endswith("pg_temp") for setting in config or []):
            found.append(f"{name}: temporary tables come first in its search path")
        if definer and owner != "portal_owner":
            found.append(f"{name}: belongs to {owner}")
        if name.startswith("app_") and volatility != "s":
            found.append(f"{name}: not STABLE, so it is called for every row")
    gone = set(known.DEFINERS) - {name for name, definer, *_ in present if definer}
    return sorted(found + [f"{name}: listed, but does not exist" for name in gone])


def indexes() -> list[str]:
    """Every index of a tenant's table leads with the tenant, is a primary key, or is listed with its reason."""
    present = rows(
        "SELECT i.relname, t.relname, indisprimary,"
        " (SELECT attname FROM pg_attribute WHERE attrelid = indrelid AND attnum = indkey[0])"
        " FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class t ON t.oid = indrelid"
        " WHERE t.relname = ANY(%s)",
        [list(tenant_tables() - {Tenant._meta.db_table})],
    )
    found = [
        f"{index} on {table}: leads with {column}, not with the tenant"
        for index, table, primary, column in present
        if column != "tenant_id" and not primary and index not in known.INDEXES
    ]
    gone = set(known.INDEXES) - {index for index, *_ in present}
    return sorted(found + [f"{index}: listed, but does not exist" for index in gone])


def rights() -> list[str]:
    """The two roles hold exactly the rights that are written down, and the public none."""
    found = []
    for table in sorted(tables()):
        expected = known.RIGHTS.get(table, (known._ALL, known._ALL))
        for role, wanted in zip(("portal_app", "portal_ops"), expected, strict=True):
            granted = set(_granted(role, table))
            if granted != wanted:
                found.append(f"{table}: {role} may {sorted(granted)}, not {sorted(wanted)}")
    public = rows(
        "SELECT relname FROM pg_class, aclexplode(relacl) AS granted WHERE grantee = 0"
        f" AND relkind IN ('r', 'p', 'v', 'm', 'S') AND {_OURS}"
    )
    found += [f"{name}: everybody has rights" for (name,) in public]
    sequences = rows(
        "SELECT relname FROM pg_class, unnest(ARRAY['portal_app', 'portal_ops']) AS role"
        f" WHERE relkind = 'S' AND {_OURS} AND has_sequence_privilege(role, pg_class.oid, 'UPDATE')"
    )
    found += [f"{name}: the counter may be set" for (name,) in sequences]
    for role in ("portal_app", "portal_ops", "public"):
        if rows("SELECT has_schema_privilege(%s, 'public', 'CREATE')", [role])[0][0]:
            found.append(f"{role} may create tables")
    return found


def _granted(role: str, table: str) -> list[str]:
    granted = []
    for privilege in PRIVILEGES:
        kind = "any_column" if privilege in ("SELECT", "INSERT", "UPDATE", "REFERENCES") else "table"
        if rows(f"SELECT has_{kind}_privilege(%s, %s, %s)", [role, f"public.{table}", privilege])[0][0]:
            granted.append(privilege)
    return granted


def append_only() -> list[str]:
    """Append-only tables refuse changes by triggers too, which also hold for the owner and superusers."""
    found = []
    for table in sorted(known.APPEND_ONLY):
        present = {
            (bool(kind & 1), kind & 0b111010)
            for (kind,) in rows(
                "SELECT tgtype::int FROM pg_trigger WHERE tgrelid = %s::regclass AND tgenabled IN ('O', 'A')"
                " AND tgfoid = 'refuse_change'::regproc",
                [table],
            )
        }
        # bits: 1 row, 2 before, 8 delete, 16 update, 32 truncate
        if (True, 2 | 8 | 16) not in present:
            found.append(f"{table}: no trigger refuses UPDATE and DELETE")
        if (False, 2 | 32) not in present:
            found.append(f"{table}: no trigger refuses TRUNCATE")
    return found


def attached(of: Iterable[type[models.Model]] | None = None) -> list[str]:
    """Every model that points at a number is a registered attachment or exempt with a reason."""
    handled = {label for attachment in attachments.registered() for label in attachment.models}
    pointing = {
        model._meta.label
        for model in (of if of is not None else apps.get_models(include_auto_created=True))
        for field in model._meta.local_fields
        if field.related_model is PhoneNumber
    }
    found = [f"{label}: points at a number and is not attached" for label in pointing - handled - set(known.UNATTACHED)]
    if of is None:
        found += [f"{label}: exempt, but points at no number" for label in set(known.UNATTACHED) - pointing]
        found += [f"{label}: attached and exempt" for label in set(known.UNATTACHED) & handled]
    return sorted(found)
