"""Two walls between tenants, and the only place that tells PostgreSQL whose turn it is.

Wall 1 is `TenantManager`: every query of a tenant's model is filtered on the announced tenant and fails loudly without
one. Wall 2 is PostgreSQL's row-level security (`portal.rls`), which reads the setting that `announce` makes. It is
transaction-local only: made for a session it would leak to the next borrower of the connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

from django.conf import settings
from django.db import connection, models, transaction

EVERY_TENANT = 0  # what the operator's console and cross-tenant jobs work on; no tenant has this id

_announced: ContextVar[int | None] = ContextVar("tenant", default=None)


class NoTenant(RuntimeError):
    """A tenant's data was asked for and nobody said whose."""


def current() -> int:
    """Return the id of the announced tenant; raise NoTenant if there is none."""
    tenant_id = _announced.get()
    if not tenant_id:
        raise NoTenant("No tenant is announced; enter tenancy.tenant_transaction(...) first.")
    return tenant_id


def current_for(row: "TenantModel") -> int:
    """Return the id of the announced tenant; where every tenant is, that of a row in hand. Raise NoTenant if nobody
    said whose."""
    return int(row.tenant_id) if _announced.get() == EVERY_TENANT else current()


def narrowed(of: str = "") -> tuple[str, list[int]]:
    """Return wall 1 as SQL, for statements by hand: a condition on `tenant_id` (`of` a table, as `a.`) and its
    parameters."""
    tenant_id = _announced.get()
    if tenant_id is None:
        raise NoTenant("A tenant's rows were asked for and no tenant is announced.")
    return ("TRUE", []) if tenant_id == EVERY_TENANT else (f"{of}tenant_id = %s", [tenant_id])


_ANNOUNCE = "SELECT set_config('app.user_id', %s, true), set_config('app.tenant_id', %s, true)"
_VISITOR = "SELECT * FROM portal_visitor(%s)"


def announce(*, user_id: int | None, tenant_id: int | None) -> None:
    """Tell PostgreSQL, for this transaction only, which person (app_user) and tenant (app_tenant) it serves."""
    _insist_on_transaction()
    with connection.cursor() as cursor:
        cursor.execute(_ANNOUNCE, [str(user_id or ""), str(tenant_id or "")])


def announce_and_ask(*, user_id: int, tenant_id: int | None) -> list[tuple[Any, ...]]:
    """Announce both, and return the person with their memberships: one way to the server for every page.

    A row holds the columns of the user, then those of a membership and of its tenant (None without membership); there
    is none if there is no such person.
    """
    _insist_on_transaction()
    with connection.cursor() as cursor:
        cursor.execute(f"{_ANNOUNCE}; {_VISITOR}", [str(user_id), str(tenant_id or ""), user_id])
        cursor.nextset()
        return list(cursor.fetchall())


def _insist_on_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A tenant is announced inside a transaction only.")


@contextmanager
def serving(tenant_id: int | None) -> Iterator[None]:
    """Filter wall 1 on this tenant within the block (the middleware announces to PostgreSQL itself)."""
    token = _announced.set(tenant_id)
    try:
        yield
    finally:
        _announced.reset(token)


@contextmanager
def tenant_transaction(tenant_id: int, *, user_id: int | None = None) -> Iterator[None]:
    """Open a transaction that sees this tenant alone: the one entry for tasks, commands and streams.

    In the operator's processes it also becomes `portal_app` until the block ends, so both walls stand there too.
    """
    with transaction.atomic(), serving(tenant_id):
        before = _settings()
        announce(user_id=user_id, tenant_id=tenant_id)
        if before.role == "portal_ops":
            _set_role("portal_app")
        yield
        if not connection.needs_rollback:
            announce(user_id=before.user_id, tenant_id=before.tenant_id)
            if before.role == "portal_ops":
                _set_role("portal_ops")


@contextmanager
def every_tenant() -> Iterator[None]:
    """Lift wall 1 for the operator's console and cross-tenant jobs; PostgreSQL allows it to `portal_ops` alone."""
    with serving(EVERY_TENANT):
        yield


class _Before:
    def __init__(self, role: str, user_id: str | None, tenant_id: str | None) -> None:
        self.role, self.user_id, self.tenant_id = role, int(user_id or 0) or None, int(tenant_id or 0) or None


def _settings() -> _Before:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, current_setting('app.user_id', true), current_setting('app.tenant_id', true)"
        )
        return _Before(*cursor.fetchone())


def _set_role(role: str) -> None:
    if role not in ("portal_app", "portal_ops"):
        raise ValueError(role)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")


class TenantManager[M: models.Model](models.Manager[M]):
    """Wall 1: only rows of the announced tenant; NoTenant if there is none."""

    def get_queryset(self) -> models.QuerySet[M]:
        rows = super().get_queryset()
        tenant_id = _announced.get()
        if tenant_id is None:
            raise NoTenant(f"{self.model.__name__} was asked for and no tenant is announced.")
        return rows if tenant_id == EVERY_TENANT else rows.filter(tenant_id=tenant_id)


class TenantModel(models.Model):
    """A row that belongs to one tenant; saved without one, it gets the announced tenant."""

    tenant = models.ForeignKey("portal.Tenant", on_delete=models.PROTECT, db_index=False, related_name="+")

    objects: ClassVar[Any] = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.tenant_id is None:
            self.tenant_id = current()
        super().save(*args, **kwargs)


def refuse_if_bypassing() -> str | None:
    """Return why the present database role could look past the walls, or None if it cannot."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, bool_or(reachable.rolsuper OR reachable.rolbypassrls"
            " OR EXISTS (SELECT 1 FROM pg_class WHERE relowner = reachable.oid AND relkind IN ('r', 'p', 'v', 'm'))),"
            " pg_has_role(current_user, 'portal_ops', 'MEMBER')"
            # itself, and every role whose rights it inherits or that it may become
            " FROM pg_roles AS reachable WHERE pg_has_role(current_user, reachable.oid, 'MEMBER')"
        )
        role, bypasses, is_ops = cursor.fetchone()
    expected = settings.DATABASE_ROLE
    if bypasses:
        return f"Database role {role} could look past row-level security; connect as {expected}."
    if is_ops and expected == "portal_app":
        return f"Database role {role} is, or can become, portal_ops and would see every tenant; connect as {expected}."
    return None
