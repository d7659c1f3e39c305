import random
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from numbers import export, importing, number_lists, overview
from numbers.importing import Finding, Kind
from numbers.models import NumberSearch, PhoneNumber, Usage
from numbers.number_lists import ListRefused
from portal import cells, tenancy
from portal.models import AuditEvent
from tests import make

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def take(acme, text, **options):
    content = text if isinstance(text, bytes) else text.encode()
    numbers = number_lists.read(content)
    return importing.take(numbers, tenant_id=acme.acme.pk, by="import_numbers", at=NOW, **options)


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def test_take_adds_what_really_comes(acme):
    findings = take(
        acme,
        "Rufnummer;Bezeichnung;Verwendung;Notiz\r\n"
        "030 / 23125-012;Empfang;Sprache;\r\n"
        "+49 (0)69 90009100;Büro;;Nur vormittags\r\n"
        "004940 66969200;Fax Hafen;gemeinsames Fax;\r\n"
        '="+492214710300";Saal;Konferenz;\r\n'
        "089/99998-400;Weiß;persönliches Fax;\r\n",
    )

    assert findings == [
        Finding(2, "+493023125012", Kind.NEW),
        Finding(3, "+496990009100", Kind.NEW),
        Finding(4, "+494066969200", Kind.NEW),
        Finding(5, "+492214710300", Kind.NEW),
        Finding(6, "+498999998400", Kind.NEW),
    ]
    rows = PhoneNumber.objects.order_by("pk").select_related("area")
    assert [(n.area.name, n.label, n.usage, n.note, n.state) for n in rows.order_by("area__area_code")] == [
        ("Köln", "Saal", Usage.CONFERENCE, "", "inactive"),
        ("Berlin", "Empfang", Usage.VOICE, "", "inactive"),
        ("Hamburg", "Fax Hafen", Usage.FAX_SHARED, "", "inactive"),
        ("Frankfurt am Main", "Büro", Usage.VOICE, "Nur vormittags", "inactive"),
        ("München", "Weiß", Usage.FAX_PERSONAL, "", "inactive"),
    ]
    assert NumberSearch.objects.filter(text__contains="weiss").count() == 1
    events = AuditEvent.objects.filter(verb="number.added")
    assert sorted(events.values_list("object_label", flat=True)) == sorted(rows.values_list("e164", flat=True))
    assert set(events.values_list("actor_name", "tenant")) == {("import_numbers", acme.acme.pk)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_read_takes_every_usual_file(encoding, separator, end):
    rows = [("Bezeichnung", "Telefon-Nr."), ("Größe „Süd“", "030 23125012"), ("Straße", "030 23125013")]
    content = end.join(separator.join(row) for row in rows).encode(encoding)

    lines = number_lists.read(content).lines

    assert [(line.at, line.text("number"), line.text("label")) for line in lines] == [
        (2, "030 23125012", "Größe „Süd“"),
        (3, "030 23125013", "Straße"),
    ]


def test_read_takes_english_titles_in_any_order_and_names_the_others():
    found = number_lists.read(b"Note,Label,Room,Phone number,Usage\nn,l,r,030 23125012,voice\n")

    assert found.ignored == ["Room"]
    assert found.lines[0].cells == {"note": "n", "label": "l", "number": "030 23125012", "usage": "voice"}


def test_read_takes_one_column_without_a_header():
    found = number_lists.read(b"030 23125012\n\n030 23125013\n4,93E+11\n")

    assert [(line.at, line.text("number")) for line in found.lines] == [
        (1, "030 23125012"),
        (3, "030 23125013"),
        (4, "4,93E+11"),
    ]


def test_read_counts_lines_of_the_file_across_cells_with_line_breaks():
    found = number_lists.read(b'sep=;\nRufnummer;Notiz\n030 23125012;"one\ntwo"\n030 23125013;x\n')

    assert [(line.at, line.text("note")) for line in found.lines] == [(3, "one\ntwo"), (5, "x")]


REFUSED = [
    (b"", "The file is empty."),
    (b"\xef\xbb\xbf \r\n", "The file is empty."),
    (b"PK\x03\x04rest", "This is a workbook. Please save it as CSV and import that file."),
    (b"\x89PNG\r\n\x1a\n\x00\x00", "This is not a text file. Please save the list as CSV."),
    (b"\x00\x01\x02", "This is not a text file. Please save the list as CSV."),
    (b"%PDF-1.7\n\xe2\xe3\xcf\xd3\n\x01", "This is not a text file. Please save the list as CSV."),
    ("Rufnummer;Bezeichnung\n030 23125012;Büro\n".encode("cp850"), "unknown"),
    ("Rufnummer;Bezeichnung\n030 23125012;Geschäft\n".encode("cp850"), "unknown"),
    ("Rufnummer;Bezeichnung\n030 23125012;Büro Süd\n".encode("mac-roman"), "unknown"),
    ("Rufnummer;Bezeichnung\n030 23125012;Отдел\n".encode("cp1251"), "unknown"),
    (b'{"numbers": ["030 23125012"]}', "none"),
    (b"<html><body>030 23125012</body></html>", "none"),
    (b"Liebe Frau Adler,\nanbei die Liste.\n", "none"),
    (b"Rufnummer;Telefon\n1;2\n", "Several columns mean the same: Rufnummer, Telefon"),
    (
        b'Rufnummer;Notiz\n030 23125012;a\n030 23125013;"b\n030 23125014;c\n',
        "Line 3 of the file cannot be read: a quotation mark is missing or superfluous.",
    ),
    (b"0" * (5 * 1024 * 1024 + 1), "The file is larger than 5 MB. Please split it."),
    (b"030 23125012\n" * 50_001, "The file has more than 50,000 lines. Please split it."),
]
SHORT = {
    "unknown": "The file's encoding is unknown. Please save it as CSV in UTF-8.",
    "none": "No column of phone numbers was found. Please name the columns in the first line, "
    "e.g. Rufnummer;Bezeichnung",
}


@pytest.mark.parametrize(("content", "reason"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_read_refuses_a_file_whole_and_says_why(content, reason):
    with pytest.raises(ListRefused) as refused:
        number_lists.read(content)

    assert str(refused.value.reason) == SHORT.get(reason, reason)


def test_take_tells_new_unchanged_conflict_and_error_apart(cast):
    with tenancy.tenant_transaction(cast.globex.pk):
        make.number("+493023125900", label="Geheim")
    with tenancy.tenant_transaction(cast.acme.pk):
        make.number("+493023125012", label="Empfang", usage=Usage.VOICE)
        make.number("+493023125013", label="Empfang")
        make.number("+493023125014", label="Empfang", usage=Usage.CONFERENCE)

        findings = take(
            cast,
            "number;label;usage\n"
            "030 23125012;Empfang;voice\n"
            "030 23125012;Empfang;voice\n"
            "030 23125013;Zentrale;\n"
            "030 23125014;;voice\n"
            "030 23125900;Zentrale;\n"
            "4,93E+11;Lager;\n"
            "030 23125015;Lager;fax\n"
            "030 23125016;" + "x" * 61 + ";\n"
            "02000 12345;Lager;\n"
            ";Lager;\n"
            "030 23125017;Lager;Konferenz\n",
        )

    assert findings == [
        Finding(2, "+493023125012", Kind.UNCHANGED),
        Finding(3, "030 23125012", Kind.ERROR, "The same number stands in line 2 already."),
        Finding(
            4, "+493023125013", Kind.CONFLICT, "Present with other values: label is “Empfang”. Nothing was changed."
        ),
        Finding(
            5, "+493023125014", Kind.CONFLICT, "Present with other values: usage is “Conference”. Nothing was changed."
        ),
        Finding(6, "+493023125900", Kind.CONFLICT, "The number is not available."),
        Finding(
            7,
            "4,93E+11",
            Kind.ERROR,
            "A spreadsheet shortened this number; please format the column as text and export again.",
        ),
        Finding(
            8,
            "030 23125015",
            Kind.ERROR,
            "The usage “fax” is unknown. Known are: Voice, Conference, Personal fax, Shared fax",
        ),
        Finding(9, "030 23125016", Kind.ERROR, "The label is longer than 60 characters."),
        Finding(10, "02000 12345", Kind.ERROR, "There is no local area with this area code."),
        Finding(11, "", Kind.ERROR, "There is no number."),
        Finding(12, "+493023125017", Kind.NEW),
    ]
    assert importing.counts(findings) == {Kind.NEW: 1, Kind.UNCHANGED: 1, Kind.CONFLICT: 3, Kind.ERROR: 6}
    with tenancy.tenant_transaction(cast.acme.pk):
        assert PhoneNumber.objects.count() == 4
        assert AuditEvent.objects.count() == 1
    with tenancy.tenant_transaction(cast.globex.pk):
        assert PhoneNumber.objects.get().label == "Geheim"


BLOCKS = [
    ("030 23125;012;", ("+493023125", "012")),
    ("+49 30 23125;12;", ("+493023125", "12")),
    ("030 23125;;030 23125-012", ("+493023125", "012")),
    (";012;030 23125-012", ("+493023125", "012")),
    ("030 23125;-012;030 23125012", ("+493023125", "012")),
    (";;030 23125-012", ("+493023125012", "")),
    ("030 23125;;", "The extension is missing."),
    ("030 23125;a1;", "The extension must be one to six digits."),
    ("030 23125;1234567;", "The extension must be one to six digits."),
    ("030 23125;13;030 23125012", "The number is not made of this base number and this extension."),
    ("030 99999;012;030 23125012", "The number is not made of this base number and this extension."),
    (";13;030 23125012", "The number is not made of this base number and this extension."),
]


@pytest.mark.parametrize(("line", "expected"), BLOCKS)
def test_take_splits_numbers_of_a_block_only_as_the_list_says(acme, line, expected):
    (finding,) = take(acme, f"Stammnummer;Durchwahl;Rufnummer\n{line}\n")

    if isinstance(expected, str):
        assert (finding.kind, finding.reason) == (Kind.ERROR, expected)
    else:
        number = PhoneNumber.objects.get()
        assert (number.base_number, number.extension_digits) == expected


def test_take_gives_a_number_again_that_left_the_inventory(acme):
    make.number("+493023125012", state="returned")

    assert take(acme, "030 23125012") == [Finding(1, "+493023125012", Kind.NEW)]


def test_take_reads_the_price_class(acme):
    take(acme, "Rufnummer;Preisklasse\n030 23125000;premium\n030 23125001;\n")

    assert list(PhoneNumber.objects.order_by("e164").values_list("price_class", flat=True)) == ["premium", "standard"]


def test_check_changes_nothing_and_tells_the_same(acme):
    numbers = number_lists.read(b"030 23125012\n030 23125013\n4,93E+11\n")

    foreseen = importing.check(numbers, tenant_id=acme.acme.pk, by="import_numbers", at=NOW)

    assert not PhoneNumber.objects.exists()
    assert not AuditEvent.objects.exists()
    assert foreseen == importing.take(numbers, tenant_id=acme.acme.pk, by="import_numbers", at=NOW)
    assert PhoneNumber.objects.count() == 2


def test_take_uses_the_same_few_statements_for_one_line_and_many(acme, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    take(acme, "030 23125999")
    with CaptureQueriesContext(
        connection,
    ) as one:
        take(acme, "030 23125998")
    with django_assert_num_queries(len(one)):
        take(acme, "\n".join(f"030 23125{n:03}" for n in range(500)))


def test_cells_round_trip_and_run_nothing():
    dangers = ["=1+1", "+49", "-5", "@SUM", "\tx", "\rx", "'quoted'", "'=1", "''", "plain", ""]
    rng = random.Random(2026)
    texts = dangers + ["".join(rng.choices("=+-@'\ta ", k=5)) for _ in range(500)]

    for text in texts:
        assert cells.original(cells.neutral(text)) == text
        assert not cells.neutral(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("language", ["de", "en"])
def test_take_takes_back_what_the_overview_exports(acme, language):
    odd = ["=1+1", "-x", "+49", "@a", "'q'", "a;b", 'say "hello"', "Größe – „Süd“", "", "€ 5, 6"]
    usages = [*Usage, *Usage, Usage.VOICE, Usage.VOICE]
    block = {"base_number": "+493023125"}
    for place, (label, usage) in enumerate(zip(odd, usages, strict=True)):
        e164 = f"+493023125{place:03}"
        split = block | {"extension_digits": f"{place:03}"} if place % 2 else {}
        price_class = "premium" if place == 3 else "standard"
        make.number(e164, label=label, usage=usage, note=f"On {label}:\nnote", price_class=price_class, **split)
    kept = ("e164", "label", "usage", "note", "base_number", "extension_digits", "price_class")
    before = list(PhoneNumber.objects.order_by("e164").values_list(*kept))
    with translation.override(language):
        text = "".join(export.csv(overview.Wanted(), tenant_id=acme.acme.pk, user_id=acme.alice.pk, at=NOW))

    assert importing.counts(take(acme, text))[Kind.UNCHANGED] == len(odd)
    PhoneNumber.objects.update(state="returned")
    assert importing.counts(take(acme, text))[Kind.NEW] == len(odd)

    assert list(PhoneNumber.objects.held().order_by("e164").values_list(*kept)) == before


@pytest.fixture
def command(cast, as_operator, tmp_path, capsys):
    """Run the command over a file with this content, as the operator; return (exit code, output)."""

    def run(content, *options):
        path = tmp_path / "list.csv"
        path.write_bytes(content)
        code = 0
        with as_operator():
            try:
                call_command("import_numbers", str(path), "--tenant=acme", "--language=en", *options)
            except SystemExit as left:
                code = left.code
        return code, capsys.readouterr().out

    return run


def test_import_numbers_says_what_became_of_each_line(cast, command):
    code, said = command(b"number;label;room\n030 23125012;Reception;1\n030 2;;\n")

    assert code == 1
    assert said.splitlines() == [
        "Columns not read: room",
        "     line 2  new          +493023125012",
        "     line 3  error        030 2              The number is too short.",
        "Acme GmbH: 1 new, 0 unchanged, 0 conflict, 1 error.",
        "Numbers in the inventory now: 1",
    ]
    assert command(b"number;label\n030 23125012;Reception\n")[0] == 0


def test_import_numbers_dry_run_changes_nothing(cast, command):
    code, said = command(b"030 23125012\n", "--dry-run")

    assert (code, said.splitlines()[-1]) == (0, "This was a dry run; nothing was changed.")
    with tenancy.tenant_transaction(cast.acme.pk):
        assert not PhoneNumber.objects.exists()


def test_import_numbers_refuses_what_it_cannot_read(cast, command, as_operator):
    with pytest.raises(CommandError, match="This is a workbook"):
        command(b"PK\x03\x04")
    with as_operator(), pytest.raises(CommandError, match="no tenant with the short name nobody"):
        call_command("import_numbers", "missing.csv", "--tenant=nobody", "--language=en")
    with as_operator(), pytest.raises(CommandError, match=r"missing\.csv cannot be read"):
        call_command("import_numbers", "missing.csv", "--tenant=acme", "--language=en")
