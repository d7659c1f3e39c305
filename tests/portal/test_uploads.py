"""Documents that customers upload: ordinary ones are kept, hostile ones refused with a sentence, none left behind."""

import io
import random
import re
import stat
import zipfile
import zlib
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String
from weasyprint import HTML

from portal import documents
from portal.documents import DocumentRefused

JPEG = b"\xff\xd8\xff\xe0 picture \xff\xd9"


def pdf(change=lambda document: None, **options):
    """Return the bytes of a PDF of one page, changed by somebody with a plan."""
    document = pikepdf.new()
    document.add_blank_page()
    change(document)
    out = io.BytesIO()
    document.save(out, **options)
    return out.getvalue()


def opens_with(action):
    return lambda document: document.Root.__setattr__("OpenAction", action(document))


def embeds(document):
    document.attachments["invoice.exe"] = b"MZ"


def annotates(document):
    document.pages[0].Annots = Array([Dictionary(Type=Name.Annot, Subtype=Name.Link, A=action("/GoToE"))])


def hides(document, kind="/JavaScript", key="/JS"):
    """A script below more brackets than anybody would look through."""
    thing = Dictionary({"/S": Name(kind), key: String("app.alert(1)")})
    for _ in range(60):
        thing = Array([thing])
    document.Root.PieceInfo = Dictionary(X=thing)


def action(kind):
    return Dictionary(S=Name(kind), F=String("other.pdf"), JS=String("app.alert(1)"))


def bomb(size, *, filter_=b"/FlateDecode"):
    """Return a small PDF with objects that unpack to `size` bytes."""
    packer = zlib.compressobj(9)
    packed = packer.compress(b"4 0 << /A 1 >>") + packer.compress(b" " * size) + packer.flush()
    out, places = bytearray(b"%PDF-1.5\n"), {}

    def add(number, text):
        places[number] = len(out)
        out.extend(b"%d 0 obj\n%b\nendobj\n" % (number, text))

    add(1, b"<< /Type /Catalog /Pages 2 0 R /X 4 0 R >>")
    add(2, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
    add(3, b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 10 10] /Resources << >> >>")
    head = b"<< /Type /ObjStm /N 1 /First 4 /Length %d /Filter %b >>" % (len(packed), filter_)
    add(5, head + b"\nstream\n" + packed + b"\nendstream")
    places[6] = len(out)
    rows = [(0, 0, 255), *((2, 5, 0) if n == 4 else (1, places[n], 0) for n in range(1, 7))]
    table = b"".join(bytes([kind]) + place.to_bytes(4, "big") + bytes([last]) for kind, place, last in rows)
    add(6, b"<< /Type /XRef /Size 7 /W [1 4 1] /Root 1 0 R /Length %d >>\nstream\n%b\nendstream" % (len(table), table))
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % places[6]


@pytest.fixture
def folder(settings, tmp_path):
    settings.DOCUMENTS_DIR = tmp_path / "documents"
    return settings.DOCUMENTS_DIR


FINE = {
    "blank": lambda: pdf(),
    "object streams": lambda: pdf(object_stream_mode=pikepdf.ObjectStreamMode.generate),
    "written by a browser's engine": lambda: HTML(string="<p>Nebenstellenplan <a href='#x'>hier</a>").write_pdf(),
    "opens at a place": lambda: pdf(opens_with(lambda d: Array([d.pages[0].obj, Name.Fit]))),
    "packed, not too much": lambda: bomb(1000),
    "picture": lambda: JPEG,
}


@pytest.mark.parametrize("name", FINE)
def test_keep_takes_what_people_have(folder, name):
    content = FINE[name]()

    kept = documents.keep(content)

    assert re.fullmatch(r"[0-9a-f]{32}\.(pdf|jpg)", kept)
    assert documents.read(kept)[0] == content
    assert stat.S_IMODE((folder / kept).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("x.exe", "MZ")
    return out.getvalue()


ENCRYPTED = pikepdf.Encryption(owner="secret", user="secret")
HOSTILE = {
    "script on opening": (lambda: pdf(opens_with(lambda d: action("/JavaScript"))), "Skripte"),
    "program on opening": (lambda: pdf(opens_with(lambda d: action("/Launch"))), "Skripte"),
    "form that is sent": (lambda: pdf(opens_with(lambda d: action("/SubmitForm"))), "Skripte"),
    "script on a page": (lambda: pdf(lambda d: d.pages[0].__setattr__("AA", Dictionary(O=action("/X")))), "Skripte"),
    "script by name": (
        lambda: pdf(lambda d: d.Root.__setattr__("Names", Dictionary(JavaScript=Dictionary()))),
        "Skripte",
    ),
    "script deep inside": (lambda: pdf(hides), "Skripte"),
    "name in disguise": (
        lambda: (
            pdf(lambda d: hides(d, "/J__vaScript..", "/J__S"), qdf=True)
            .replace(b"/J__vaScript..", b"/J#61vaScript ")
            .replace(b"/J__S", b"/#4aS")
        ),
        "Skripte",
    ),
    "embedded file": (lambda: pdf(embeds), "Skripte"),
    "embedded file in packed objects": (
        lambda: pdf(embeds, object_stream_mode=pikepdf.ObjectStreamMode.generate),
        "Skripte",
    ),
    "link into another file": (lambda: pdf(annotates), "Skripte"),
    "dynamic form": (lambda: pdf(lambda d: d.Root.__setattr__("AcroForm", Dictionary(XFA=String("x")))), "Skripte"),
    "password": (lambda: pdf(encryption=ENCRYPTED), "verschlüsselt"),
    "encrypted, opens without a password": (
        lambda: pdf(encryption=pikepdf.Encryption(owner="secret", user="")),
        "verschlüsselt",
    ),
    "bomb": (lambda: bomb(300_000_000), "beschädigt"),
    "bomb in an old packing": (lambda: bomb(10, filter_=b"/L#5AWDecode"), "veraltet"),
    "no pages": (lambda: pdf(lambda d: d.pages.__delitem__(0)), "beschädigt"),
    "cut off": (lambda: pdf()[:200], "beschädigt"),
    "page of the web, and a PDF": (lambda: b"<html><script>x()</script>\n" + pdf(), "PDF oder ein JPEG"),
    "archive, and a PDF": (lambda: b"PK\x03\x04" + pdf(), "PDF oder ein JPEG"),
    "program": (lambda: b"MZ\x90\x00", "PDF oder ein JPEG"),
    "half a picture": (lambda: JPEG[:-2], "PDF oder ein JPEG"),
    "a PDF, and an archive": (lambda: pdf() + archive(), "nicht nur ein PDF"),
    "a PDF, and an archive before its end": (lambda: pdf().replace(b"%%EOF", b"%") + archive() + b"%%EOF", "nicht nur"),
    "a PDF that begins as a page of the web": (lambda: pdf().replace(b"\n%", b"\n%< HTML>", 1), "nicht nur ein PDF"),
    "empty": (lambda: b"", "leer"),
    "too large": (lambda: b"%PDF-1.4" + b" " * documents.MOST_BYTES, "größer als 10 MB"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_keep_refuses_with_a_sentence_and_keeps_nothing(folder, name):
    make, sentence = HOSTILE[name]

    with pytest.raises(DocumentRefused) as refused:
        documents.keep(make())

    assert sentence in str(refused.value.reason)
    assert not folder.exists()


FORM = {
    "picture": (lambda: JPEG, "ein PDF hoch"),
    "21 pages": (lambda: pdf(lambda d: [d.add_blank_page() for _ in range(20)]), "hat 21 Seiten"),
    "10,001 KB": (lambda: pdf(lambda d: d.Root.__setattr__("X", String("x" * 10_000_500))), "größer als 10 MB"),
}


@pytest.mark.parametrize("name", FORM)
def test_keep_refuses_as_a_form_what_may_be_a_proof(folder, name):
    make, sentence = FORM[name]

    with pytest.raises(DocumentRefused) as refused:
        documents.keep(make(), most_pages=20)

    assert sentence in str(refused.value.reason)
    assert not folder.exists()


def test_keep_takes_a_form_of_twenty_pages(folder):
    kept = documents.keep(pdf(lambda d: [d.add_blank_page() for _ in range(19)]), most_pages=20)

    assert documents.pages(kept) == 20


def test_keep_refuses_hostile_documents_however_they_are_mutilated(folder, scale):
    """Bytes changed, lost or added by chance bring neither the check down nor a hostile document in."""
    whole = [content for make, _sentence in HOSTILE.values() if len(content := make()) < 200_000]
    seed = random.randrange(10**6)
    chance, refused, taken = random.Random(seed), 0, []

    for _ in range(scale(1000)):
        mutant = mutilated(chance.choice(whole), chance)
        try:
            documents.discard(documents.keep(mutant, most_pages=20))
            taken.append(mutant)
        except DocumentRefused as said:
            refused += bool(str(said.reason))

    assert [mutant for mutant in taken if not disarmed(mutant)] == [], f"seed {seed}"
    assert refused + len(taken) == scale(1000)
    assert len(taken) < scale(1000) / 20
    assert not folder.exists() or list(folder.iterdir()) == []


def disarmed(mutant):
    """Return whether chance took away just what was hostile in it."""
    return not re.search(rb"/(J\W*S|JavaScript|Launch|SubmitForm|EF|GoToE|XFA|AA|Encrypt|LZW)\b|PK\x05|<.?html", mutant)


def mutilated(content, chance):
    mutant = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        at, length = chance.randrange(len(mutant) + 1), chance.randint(1, 20)
        mutant[at : at + chance.choice((0, 1, length))] = chance.randbytes(chance.choice((0, 1, length)))
    return bytes(mutant)


def test_a_bomb_does_not_go_off(folder):
    """The memory of this process hardly grows, though a gigabyte is packed into the document."""
    content = bomb(1_000_000_000)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _peak()

    with pytest.raises(DocumentRefused):
        documents.keep(content)

    assert len(content) < 2_000_000
    assert _peak() - before < 300_000


def _peak():
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)


@pytest.mark.parametrize("name", ["../settings.py", "x.pdf", "", "0" * 32 + ".exe", "0" * 32 + ".pdf/../x"])
def test_read_finds_nothing_under_names_that_are_not_ours(folder, name):
    with pytest.raises(FileNotFoundError):
        documents.read(name)


def test_kept_deletes_the_document_if_what_it_is_for_fails(folder):
    def fail():
        with documents.kept(JPEG) as name:
            assert (folder / name).exists()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert list(folder.iterdir()) == []


def test_kept_keeps_nothing_without_a_document(folder):
    with documents.kept(b"") as name:
        assert name == ""

    assert not folder.exists()
