"""The two tenants of these tests stand in a database of their own (`tests.standing`)."""

import copy
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests import conftest, standing
from tests.isolation import world as worlds


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In the proof everybody walks everywhere. Every day behind one wall alone only Alice looks and posts, and Carl and
    Erika, who are administrators as she is, only look at every page."""
    if not conftest.PROOF:
        spared = [item for item in items if _is_for_the_proof(item.name, getattr(item, "callspec", None))]
        config.hook.pytest_deselected(items=spared)
        items[:] = [item for item in items if item not in spared]


def _is_for_the_proof(name: str, call: Any) -> bool:
    walled, viewer = str(call.params.get("standing")) if call else "", call and call.params.get("viewer")
    if "alone" in walled:
        return viewer not in (None, "alice") or name.startswith(("test_partial", "test_foreign_ids_in_the_query"))
    return viewer in ("carl", "erika") and not name.startswith("test_looking")


@pytest.fixture(scope="session")
def standing_world(django_db_setup: None, django_db_blocker: Any) -> tuple[str, worlds.World]:
    """The name of this worker's database in which the world stands, and the world."""
    return standing.filled("world", lambda: worlds.build(conftest.people()), blocker=django_db_blocker)


@pytest.fixture
def there(request: pytest.FixtureRequest, standing_world: tuple[str, worlds.World]) -> Iterator[worlds.World | None]:
    """Connect to where the world stands and give it; nothing for tests that commit, or fill tenants of their own."""
    if request.node.get_closest_marker("django_db") or "world" not in request.fixturenames:
        yield None
        return
    name, world = standing_world
    with standing.connected_to(name):
        yield copy.deepcopy(world)


@pytest.fixture
def db(there: worlds.World | None, db: None) -> None:
    """The transaction of a test, in the database where the world stands."""


@pytest.fixture
def cast(there: worlds.World | None, db: None) -> SimpleNamespace:
    return there.people if there else conftest.people()


@pytest.fixture
def world(there: worlds.World | None, cast: SimpleNamespace) -> worlds.World:
    """Both tenants of the cast, full of canaries."""
    return there or worlds.build(cast)
