"""A migration operation: a table in one partition per Berlin month of one of its instants.

Rights and policies are the parent's alone. A partition is a table of its own for whoever names it, and the parent's
policies do not stand before it: so nobody is granted anything on one, and row-level security, forced and without a
policy, refuses even whoever was.
"""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class CreatePartitioned(migrations.CreateModel):
    """CreateModel for a table partitioned by the column `by`; its primary key becomes (id, that column)."""

    def __init__(self, name: str, by: str, fields: Any, options: Any) -> None:
        super().__init__(name, fields, options)
        self.by = by

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (
            type(self).__name__,
            [],
            {"name": self.name, "by": self.by, "fields": self.fields} | {"options": self.options},
        )

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model: Any = to_state.apps.get_model(app_label, self.name)
        statement, parameters = schema_editor.table_sql(model)
        key, column = schema_editor.quote_name(model._meta.pk.column), schema_editor.quote_name(self.by)
        columns = statement.replace(" PRIMARY KEY", "", 1).rstrip().removesuffix(")")
        schema_editor.execute(
            f"{columns}, PRIMARY KEY ({key}, {column})) PARTITION BY RANGE ({column})", parameters or None
        )
        editor: Any = schema_editor  # what CreateModel calls too is missing in its type
        editor.deferred_sql.extend(editor._model_indexes_sql(model))


def functions(table: str, *, create: str, drop: str, may_drop: str) -> str:
    """Return the SQL of two owner's functions that make and drop the partition of a month, for the operator's role.

    `may_drop` is a condition in which `%2$L` stands for the month (its first day) and `%1$I` for the partition; what it
    refuses is kept.
    Each returns whether it did something, and gives up after two seconds of waiting for others' locks: in the first of
    them a vacuum that PostgreSQL started by itself is not yet asked to give way.
    """
    name = f"'{table}_' || to_char(month, 'YYYY_MM')"
    head = (
        "(month date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER"
        " SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$"
        f" DECLARE name text := {name}; allowed boolean; BEGIN"
        " IF month <> date_trunc('month', month) OR month < date '2020-01-01'"
        " OR month > date '2100-01-01' THEN RAISE EXCEPTION '% is no month to keep', month; END IF;"
        f" PERFORM pg_advisory_xact_lock(hashtext({name}));"
    )
    berlin = "AT TIME ZONE 'Europe/Berlin'"
    return f"""
CREATE FUNCTION {create}{head}
    IF to_regclass('public.' || name) IS NOT NULL THEN RETURN false; END IF;
    EXECUTE format('CREATE TABLE public.%I PARTITION OF public.{table} FOR VALUES FROM (%L) TO (%L)', name,
        month::timestamp {berlin}, (month + interval '1 month')::timestamp {berlin});
    EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, portal_app, portal_ops', name);
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', name);
    RETURN true;
END $$;
CREATE FUNCTION {drop}{head}
    IF to_regclass('public.' || name) IS NULL THEN RETURN false; END IF;
    EXECUTE format($may$ SELECT {may_drop} $may$, name, month) INTO allowed;
    IF NOT allowed THEN RETURN false; END IF;
    EXECUTE format('DROP TABLE public.%I', name);
    RETURN true;
END $$;
REVOKE EXECUTE ON FUNCTION {create}(date), {drop}(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {create}(date), {drop}(date) TO portal_ops;
"""  # noqa: S608 -- of our own migrations
