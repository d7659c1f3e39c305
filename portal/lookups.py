"""What a query can say beside Django's own look-ups."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Lookup
from django.db.models.sql.compiler import SQLCompiler


@Field.register_lookup
class AnyOf(Lookup):
    """`pk__any=[…]`: one of an array, which is one parameter however long it is; `__in` writes one for each."""

    lookup_name = "any"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        left, given = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s)", (*given, list(self.rhs))
