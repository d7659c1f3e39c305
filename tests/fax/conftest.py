"""Fax numbers of Acme and Globex, people who may print to them, and people who are sent credentials."""

from types import SimpleNamespace

import pytest
import time_machine

from portal import tenancy
from tests import calling, make
from tests.conftest import NOW
from tests.fax.printing import SECRET


@pytest.fixture
def documents_dir(tmp_path, settings):
    """Let what is printed and sent lie in a folder of this test."""
    settings.DOCUMENTS_DIR = tmp_path / "documents"
    settings.FAX_SPOOL_DIR = tmp_path / "spool"
    return settings.DOCUMENTS_DIR


@pytest.fixture
def printers(cast, documents_dir):
    """Bob and Erika may print to Acme's shared fax, Carl to one of Globex's."""
    with tenancy.tenant_transaction(cast.acme.pk):
        number = make.number("+493023125020", state="active", usage="fax_shared")
        bob = make.member("Bob Brandt", email="bob@acme.example", user=cast.bob)
        erika = make.member("Erika Ernst", user=cast.erika)
        own = {"bob": make.fax_credential(number, bob, SECRET), "erika": make.fax_credential(number, erika, SECRET)}
    with tenancy.tenant_transaction(cast.globex.pk):
        theirs = make.number("+493023125021", state="active", usage="fax_shared")
        carl = make.member("Carl Conrad", user=cast.carl)
        own["carl"] = make.fax_credential(theirs, carl, SECRET)
    return SimpleNamespace(**own, cast=cast)


@pytest.fixture
def clock():
    """Stand still at NOW; `clock.move_to(...)` goes on."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def office(cast):
    """People and fax numbers of Acme, committed as far as the test goes."""
    with tenancy.tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        bob = make.member("Bob Brandt", user=cast.bob)
        mia = make.member("Mia Maurer", email="mia@acme.example")
        noah = make.member("Noah Neumann")
        dora = make.member("Dora Dietrich", user=cast.dora)
        own = make.number("+493023125020", state="active", usage="fax_personal")
        shared = make.number("+493023125021", state="active", usage="fax_shared")
        calling.assign(own, bob, calling.days_ago(10))
        for member in (bob, mia):
            calling.assign(shared, member, calling.days_ago(10), shared=True)
    return SimpleNamespace(cast=cast, bob=bob, mia=mia, noah=noah, dora=dora, own=own, shared=shared)


@pytest.fixture
def inside(office):
    with tenancy.tenant_transaction(office.cast.acme.pk, user_id=office.cast.alice.pk):
        yield office
