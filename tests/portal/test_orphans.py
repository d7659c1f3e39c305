"""Documents that no row names: a command lists them and deletes them when told to, and nothing else does."""

import io
import os
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from fax.models import FaxJob
from numbers import porting
from numbers.models import NumberOrder, PortDocument
from portal import documents, orphans, tasks, tenancy
from tests import make, source
from tests.conftest import NOW

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


def rows(by, start):
    """Make rows of the announced tenant that name a document in every column there is, and one that names none."""
    number = make.number(f"+4930231258{start}")
    member = make.member("Fay Fax")
    fax = {"number": number, "staff_member": member, "received_at": NOW}
    names = {"document": kept(), "fax": kept(), "preview": kept()}
    FaxJob.objects.create(**fax, **names)
    FaxJob.objects.create(**fax)
    proof = kept()
    placed = {"state": "placed", "proof": proof, "by": by, "placed_at": NOW, "reservation": uuid4()}
    NumberOrder.objects.create(area=number.area, kind="single", numbers=["+493023125990"], fee=0, fees=[], **placed)
    form = kept()
    order = porting.start(by=by, at=NOW)
    PortDocument.objects.create(order=order, version=1, name=form, pages=1, size=5, by=by, at=NOW)
    return {*names.values(), proof, form}


@pytest.fixture
def named(cast, folder):
    """What two tenants' rows name: five documents each, and every registered column."""
    with tenancy.tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        of_acme = rows(cast.alice, "10")
    with tenancy.tenant_transaction(cast.globex.pk, user_id=cast.carl.pk):
        return of_acme | rows(cast.carl, "20")


@pytest.fixture
def run(as_operator, capsys):
    """Return a function that runs the command, and returns its status and what it says, well and ill."""

    def _run(*options):
        status = 0
        with as_operator():
            try:
                call_command("orphans", *options)
            except SystemExit as ended:
                status = ended.code
        said = capsys.readouterr()
        return status, said.out.splitlines(), said.err

    return _run


def lie(folder: Path):
    return {path.name for path in folder.iterdir()}


def test_the_command_lists_what_no_row_names_and_deletes_nothing_by_itself(named, folder, run):
    orphan, young = sorted((kept(), kept(days=0)))
    (folder / "note.txt").write_text("of somebody else")
    before = lie(folder)

    status, out, err = run()

    assert (status, err) == (0, "")
    assert out[0] == f"2 of 12 documents in {folder} (10 bytes) have no row."
    assert [line.split()[:2] for line in out[1:]] == [[orphan, "5"], [young, "5"]]
    assert lie(folder) == before


def test_delete_takes_what_no_row_names_for_a_week_and_nothing_else(named, folder, run):
    for _ in range(orphans.FEW):
        kept(days=8)
    young = kept(days=6)
    (folder / "note.txt").write_text("of somebody else")

    status, out, err = run("--delete")

    assert (status, out[-1], err) == (0, "3 were deleted.", "")
    assert lie(folder) == named | {young, "note.txt"}


def test_the_clean_up_deletes_no_document(named, folder, as_operator):
    orphan = kept(days=400)

    with as_operator():
        tasks.clean_up()

    assert lie(folder) == named | {orphan}


@pytest.mark.parametrize("count", [1, 30])
def test_nothing_goes_where_no_row_names_a_document(cast, folder, run, count):
    for _ in range(count):
        kept()

    with pytest.raises(CommandError, match=r"No row names any of these documents.*Nothing was deleted\."):
        run("--delete")

    assert len(lie(folder)) == count


def test_more_than_three_go_only_up_to_a_twentieth(named, folder, run):
    gone = [kept() for _ in range(4)]

    with pytest.raises(CommandError, match=r"4 of 14 documents would go.*Nothing was deleted\."):
        run("--delete")

    assert lie(folder) == named | {*gone}
    young = {kept(days=0) for _ in range(4 * orphans.SHARE - 14)}  # now the four are a twentieth
    assert run("--delete")[:1] == (0,)
    assert lie(folder) == named | young


def test_what_cannot_be_deleted_is_said_and_the_others_go(named, folder, run):
    first, last = "0" * 32 + ".pdf", "f" * 32 + ".pdf"
    stuck = folder / f"{'7' * 32}.pdf"
    stuck.mkdir()  # no file, so that nobody can unlink it, not even root
    then = (timezone.now() - timedelta(days=8)).timestamp()
    os.utime(stuck, (then, then))
    for name in (first, last):
        (folder / kept()).rename(folder / name)

    status, out, err = run("--delete")

    assert (status, out[-1]) == (1, "2 were deleted.")
    assert err.startswith(f"{stuck.name} could not be deleted: ")
    assert err.count("\n") == 1
    assert lie(folder) == named | {stuck.name}


def test_who_keeps_documents_is_known_and_every_column_that_names_them():
    calls = ("documents.put(", "documents.keep(", "documents.kept(")

    found = {path for path, text in source.modules().items() if any(call in text for call in calls)}

    assert found == KEEPERS
    assert orphans._columns == {
        "numbers.NumberOrder": ("proof",),
        "numbers.PortDocument": ("name",),
        "fax.FaxJob": ("document", "fax", "preview"),
    }
