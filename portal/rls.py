"""Migration operations of wall 2: policies, composite foreign keys, append-only tables."""

from typing import Any

from django.apps.registry import Apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

FUNCTIONS = """
CREATE FUNCTION app_tenant() RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE announced text := current_setting('app.tenant_id', true);
BEGIN
    IF announced IS NULL OR announced = '' THEN
        RAISE EXCEPTION 'no tenant announced' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN announced::bigint;
END $$;
CREATE FUNCTION app_tenant_or_null() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT NULLIF(current_setting('app.tenant_id', true), '')::bigint $$;
CREATE FUNCTION app_user() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT NULLIF(current_setting('app.user_id', true), '')::bigint $$;
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
GRANT EXECUTE ON FUNCTION app_tenant(), app_tenant_or_null(), app_user(), refuse_change() TO portal_app, portal_ops;
"""
DROP_FUNCTIONS = "DROP FUNCTION app_tenant(), app_tenant_or_null(), app_user(), refuse_change()"

OWN = "tenant_id = app_tenant()"
OWN_OR_NONE = "CASE WHEN tenant_id IS NULL THEN true ELSE tenant_id = app_tenant() END"


class _Sql(Operation):
    """Statements about one model's table, run forwards and undone backwards."""

    reversible = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def statements(self, model: Any, apps: Apps) -> list[str]:
        raise NotImplementedError

    def undoing(self, model: Any, apps: Apps) -> list[str]:
        raise NotImplementedError

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        apps = to_state.apps
        for statement in self.statements(apps.get_model(app_label, self.model_name), apps):
            schema_editor.execute(statement, None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        apps = from_state.apps
        for statement in self.undoing(apps.get_model(app_label, self.model_name), apps):
            schema_editor.execute(statement, None)

    def describe(self) -> str:
        return f"{type(self).__name__} on {self.model_name}"


class EnableTenancy(_Sql):
    """Row-level security for a tenant's table: its own rows for everybody, all rows for the operator's role.

    `tenant_optional` is for the trace and the outbox: rows without tenant may be written by anyone, read by nobody.
    """

    def __init__(self, model_name: str, *, tenant_optional: bool = False) -> None:
        super().__init__(model_name)
        self.tenant_optional = tenant_optional

    def statements(self, model: Any, apps: Apps) -> list[str]:
        table = model._meta.db_table
        own = f"CREATE POLICY own_tenant ON {table} USING ({OWN}) WITH CHECK ({OWN})"
        if self.tenant_optional:
            own = (
                f"CREATE POLICY own_tenant ON {table} FOR SELECT USING ({OWN});"
                f"CREATE POLICY own_tenant_insert ON {table} FOR INSERT WITH CHECK ({OWN_OR_NONE})"
            )
        return [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            own,
            f"CREATE POLICY operator ON {table} TO portal_ops USING (true) WITH CHECK (true)",
        ]

    def undoing(self, model: Any, apps: Apps) -> list[str]:
        table = model._meta.db_table
        optional = f"DROP POLICY own_tenant_insert ON {table};" if self.tenant_optional else ""
        return [
            f"DROP POLICY own_tenant ON {table}; DROP POLICY operator ON {table}; {optional}"
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"
        ]


class TenantForeignKey(_Sql):
    """A foreign key that cannot cross tenants: (tenant_id, x_id) references (tenant_id, id) of the parent.

    The model's field is `ForeignKey(db_constraint=False)`; the parent carries UNIQUE (tenant_id, id). A plain foreign
    key would accept a foreign tenant's id, for its check looks past row-level security.
    """

    def __init__(self, model_name: str, field: str) -> None:
        super().__init__(model_name)
        self.field = field

    def _names(self, model: Any) -> tuple[str, str, str]:
        column = model._meta.get_field(self.field).column
        return model._meta.db_table, column, f"{model._meta.db_table}_{column}_same_tenant"

    def statements(self, model: Any, apps: Apps) -> list[str]:
        table, column, name = self._names(model)
        parent = model._meta.get_field(self.field).related_model._meta.db_table
        return [
            f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (tenant_id, {column})"
            f" REFERENCES {parent} (tenant_id, id) DEFERRABLE INITIALLY IMMEDIATE"
        ]

    def undoing(self, model: Any, apps: Apps) -> list[str]:
        table, _, name = self._names(model)
        return [f"ALTER TABLE {table} DROP CONSTRAINT {name}"]


class AppendOnly(_Sql):
    """Rows that nobody changes or deletes: neither granted nor, by triggers, possible."""

    def statements(self, model: Any, apps: Apps) -> list[str]:
        table = model._meta.db_table
        return [
            f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM portal_app, portal_ops",
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        ]

    def undoing(self, model: Any, apps: Apps) -> list[str]:
        table = model._meta.db_table
        return [
            f"DROP TRIGGER append_only ON {table}; DROP TRIGGER append_only_truncate ON {table};"
            f"GRANT UPDATE, DELETE ON {table} TO portal_app, portal_ops"
        ]


class OperatorOwned(_Sql):
    """A table without tenant that only the operator writes; customers may read it, or (`hidden`) not even that."""

    def __init__(self, model_name: str, *, hidden: bool = False) -> None:
        super().__init__(model_name)
        self.hidden = hidden

    def statements(self, model: Any, apps: Apps) -> list[str]:
        rights = "ALL" if self.hidden else "INSERT, UPDATE, DELETE"
        return [f"REVOKE {rights} ON {model._meta.db_table} FROM portal_app"]

    def undoing(self, model: Any, apps: Apps) -> list[str]:
        return [f"GRANT SELECT, INSERT, UPDATE, DELETE ON {model._meta.db_table} TO portal_app"]
