"""Fax numbers of Acme and Globex, and people who may print to them."""

from types import SimpleNamespace

import pytest

from portal import tenancy
from tests import make
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
