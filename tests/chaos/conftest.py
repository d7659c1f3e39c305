import pytest

from tests.chaos import stack


@pytest.fixture(scope="session")
def ground(django_db_setup):
    """The chaos tests' own servers: they crash, so nobody else may stand on them."""
    with stack.ground() as own:
        yield own
