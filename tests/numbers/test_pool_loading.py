import pytest
from django.core.management import call_command
from django.db import transaction

from numbers import pool_loading
from numbers.models import PoolArea, PoolBlock, PoolNumber
from numbers.number_lists import ListRefused
from portal.models import AuditEvent
from tests import make
from tests.conftest import NOW

HEAD = "Stammnummer;Größe;Portierungskennung;Einprägsam\n"


def load(as_operator, *lines, act=pool_loading.load):
    with as_operator():
        return [(f.at, f.text, str(f.kind), f.reason) for f in act((HEAD + "\n".join(lines)).encode(), by="t", at=NOW)]


def test_load_adds_blocks_with_all_their_numbers(acme, as_operator):
    found = load(as_operator, "030 23125;1000;D123;*777", "069 9000912;10;d041;", "040 6696 95;100;D123;")

    assert found == [
        (2, "+493023125", "new", ""),
        (3, "+49699000912", "new", ""),
        (4, "+494066 9695".replace(" ", ""), "new", ""),
    ]
    with as_operator():
        assert PoolNumber.objects.count() == 1110
        assert set(PoolNumber.objects.filter(price_class="premium").values_list("pk", flat=True)) == {493023125777}
        assert PoolArea.objects.count() == 3
        assert sorted(PoolBlock.objects.values_list("porting_code", "longest_run")) == [
            ("D041", 10),
            ("D123", 100),
            ("D123", 1000),
        ]
        assert AuditEvent.objects.filter(verb="pool.loaded").count() == 3


def test_load_again_changes_nothing(acme, as_operator):
    load(as_operator, "030 2312590;10;D123;")

    assert load(as_operator, "030 2312590;10;D123;") == [(2, "+49302312590", "unchanged", "")]
    with as_operator():
        assert PoolNumber.objects.count() == 10


def test_load_enters_what_a_tenant_holds_as_given(acme, as_operator):
    make.number("+493023125905")
    make.number("+493023125906", state="returned")

    load(as_operator, "030 2312590;10;D123;")

    with as_operator():
        assert PoolNumber.objects.get(free_from=None).pk == 493023125905
        assert (PoolBlock.objects.get().given, PoolBlock.objects.get().longest_run) == (1, 5)


@pytest.mark.parametrize(
    ("line", "kind", "reason"),
    [
        ("030 2312590;10;D999;", "conflict", "Bereits mit der Portierungskennung D123 vorhanden"),
        ("030 231259;100;D123;", "conflict", "Überschneidet sich mit dem Block +49302312590"),
        ("030 23125901;10;D123;", "conflict", "Überschneidet sich"),
        ("030 2312591;5;D123;", "error", "Die Größe muss 10, 100 oder 1000 sein."),
        ("030 2312591;10;123;", "error", "Die Portierungskennung muss aus einem D und drei Ziffern bestehen"),
        ("01;10;D123;", "error", ""),
        ("030 2312591;10;D123;abc", "error", "Bitte verwenden Sie Ziffern"),
        (";10;D123;", "error", ""),
    ],
)
def test_load_says_what_is_wrong_with_a_line_and_takes_the_others(acme, as_operator, line, kind, reason):
    load(as_operator, "030 2312590;10;D123;")

    bad, good = load(as_operator, line, "030 2312595;10;D123;")

    assert bad[2] == kind
    assert reason in bad[3]
    assert bad[3]
    assert good[2] == "new"


def test_load_refuses_a_block_that_stands_twice_in_the_file(acme, as_operator):
    first, second = load(as_operator, "030 2312590;10;D123;", "030 231259;100;D123;")

    assert (first[2], second[2]) == ("new", "error")


def test_check_says_the_same_and_changes_nothing(acme, as_operator):
    found = load(as_operator, "030 2312590;10;D123;", "030 2312591;7;D123;", act=pool_loading.check)

    assert [kind for _, _, kind, _ in found] == ["new", "error"]
    with as_operator():
        assert not PoolNumber.objects.exists()
        assert not PoolArea.objects.exists()


def test_load_refuses_a_file_without_titles(acme, as_operator):
    with as_operator(), pytest.raises(ListRefused, match="Stammnummer;Größe"):
        pool_loading.load(b"030 23125;1000;D123", by="t", at=NOW)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("dry_run", "count"), [(True, 0), (False, 10)])
def test_load_pool_reports_each_line_and_ends_with_one(db, as_operator, tmp_path, capsys, dry_run, count):
    file = tmp_path / "blocks.csv"
    file.write_text(HEAD + "030 2312590;10;D123;\n030 2312591;7;D123;\n")

    with transaction.atomic(), as_operator():
        with pytest.raises(SystemExit):
            call_command("load_pool", file, dry_run=dry_run)
        counted = PoolNumber.objects.count()

    said = capsys.readouterr().out
    assert "Zeile 2" in said
    assert "Die Größe muss" in said
    assert ("Probelauf" in said) is dry_run
    assert counted == count
