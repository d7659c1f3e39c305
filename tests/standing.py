"""Databases of their own in which something large stands, committed: filling it takes longer than a test."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection

from tests import servers


def filled[What](kind: str, fill: Callable[[], What], *, blocker: Any) -> tuple[str, What]:
    """Make this worker's database of a kind, fill it, and return its name and what `fill` returned."""
    name = f"{settings.DATABASES['default']['NAME']}_{kind}"
    servers.database(os.environ["PORTAL_TEST_ADMIN"], name)
    with blocker.unblock(), connected_to(name):
        return name, fill()


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    """Let Django's connection lead to another database of the same server."""
    address = connection.settings_dict
    before = address["NAME"]
    connection.close()
    address["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        address["NAME"] = before
