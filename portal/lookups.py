"""What a query can say beside Django's own look-ups."""

from collections.abc import Iterable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, ForeignKey, Lookup
from django.db.models.sql.compiler import SQLCompiler


def keys(some: Iterable[Any]) -> Any:
    """Return keys as the parameter of `= ANY(%s)`.

    Integers as one literal: psycopg would quote them one by one, which takes longer than to find them.
    """
    found = list(some)
    return f"{{{','.join(map(str, found))}}}" if all(type(key) is int for key in found) else found


@ForeignKey.register_lookup
@Field.register_lookup
class AnyOf(Lookup):
    """`pk__any=[…]`: one of an array, which is one parameter however long it is; `__in` writes one for each."""

    lookup_name = "any"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        left, given = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s)", (*given, keys(self.rhs))
