"""Documents that no row names: a crash may leave them, the clean-up deletes them, and nothing else."""

import io
import os
from datetime import timedelta

import pytest
from django.utils import timezone

from numbers.models import PortDocument
from portal import documents, orphans, tasks, tenancy
from tests import porting as ports
from tests import source

# Who keeps documents: the column that each one's rows name them in is registered (`orphans.register`).
KEEPERS = {
    "fax/demo_faxes.py",
    "fax/receiving.py",
    "fax/sending.py",
    "numbers/demo/porting.py",
    "numbers/views/orders.py",
    "numbers/views/port_wizard.py",
}


@pytest.fixture
def folder(settings, tmp_path):
    settings.DOCUMENTS_DIR = tmp_path
    return tmp_path


def kept(days=8):
    """Keep a document that many days ago."""
    name = documents.put(io.BytesIO(b"%PDF-"), "pdf")
    then = (timezone.now() - timedelta(days=days)).timestamp()
    os.utime(documents.place(name), (then, then))
    return name


def test_what_no_row_names_goes_after_a_week_and_nothing_else(acme, folder, as_operator):
    named, orphan, young = kept(), kept(), kept(days=6)
    (folder / "note.txt").write_text("of somebody else")
    ports.verified(acme)
    order = ports.draft(acme)
    PortDocument.objects.create(order=order, version=9, name=named, pages=1, size=5, by=acme.alice, at=timezone.now())

    with as_operator():
        tasks.clean_up()

    assert {path.name for path in folder.iterdir()} == {named, young, "note.txt"}
    assert orphan != named


def test_nothing_goes_where_most_is_named_by_nobody(acme, folder, as_operator):
    for _ in range(orphans.FEW + 1):
        kept()

    with as_operator(), tenancy.every_tenant():
        assert orphans.sweep(at=timezone.now()) == 0

    assert len(list(folder.iterdir())) == orphans.FEW + 1


def test_who_keeps_documents_is_known_and_every_column_that_names_them():
    calls = ("documents.put(", "documents.keep(", "documents.kept(")

    found = {path for path, text in source.modules().items() if any(call in text for call in calls)}

    assert found == KEEPERS
    assert orphans._columns == {
        "numbers.NumberOrder": ("proof",),
        "numbers.PortDocument": ("name",),
        "fax.FaxJob": ("document", "fax", "preview"),
    }
