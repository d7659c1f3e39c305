import pytest

from tests.isolation import world as worlds


@pytest.fixture
def world(cast):
    """Both tenants of the cast, full of canaries."""
    return worlds.build(cast)
