"""System checks: a process that could look past the walls does not start."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Critical, Tags, register
from django.db import connection

from portal.tenancy import refuse_if_bypassing


@register(Tags.database)
def database_role_cannot_bypass(**options: Any) -> list[CheckMessage]:
    """Refuse a web, operator or worker process whose role bypasses row-level security or owns tables."""
    if settings.PROCESS == "migrate" or not options.get("databases"):
        return []
    reason = refuse_if_bypassing()
    return [Critical(reason, id="portal.C001")] if reason else []


def insist() -> None:
    """Stop this process (SystemExit) unless both walls stand; gunicorn and the worker call this as they start."""
    if settings.PROCESS != "migrate" and (reason := refuse_if_bypassing()):
        raise SystemExit(reason)
    connection.close()  # gunicorn forks after loading; a connection may not be shared
