"""Documents that come from anywhere become pages, or are refused with a reason; never more than so much memory."""

import io
import json
import random
import subprocess
import sys
import zlib

import pikepdf
import pytest
from PIL import Image

from fax import conversion
from fax.conversion import NotRendered
from fax.models import FaxReason
from tests.fax import papers

MOST_MEMORY = 512 * 1024  # kB, as the kernel counts what a child has used


def rendered(tmp_path, content, kind="pdf"):
    document = tmp_path / f"document.{kind}"
    document.write_bytes(content)
    with conversion.rendered(document, kind) as pages, Image.open(pages.fax) as fax, Image.open(pages.preview) as first:
        shown = [
            (fax.size, fax.info["dpi"], fax.info["compression"]) for n in range(fax.n_frames) if fax.seek(n) is None
        ]
        return pages.count, shown, first.size


PAGE = ((1728, 2292), (204, 196), "group4")


@pytest.mark.parametrize(
    ("content", "kind", "count"),
    [
        (papers.pdf(), "pdf", 1),
        (papers.pdf(pages=5), "pdf", 5),
        (papers.jpeg(), "jpg", 1),
        (papers.jpeg(size=(2400, 300)), "jpg", 1),
    ],
)
def test_a_document_becomes_pages_of_a_fax(tmp_path, content, kind, count):
    assert rendered(tmp_path, content, kind) == (count, [PAGE] * count, (864, 1192))


def build(change):
    with pikepdf.open(io.BytesIO(papers.pdf())) as document:
        said = io.BytesIO()
        options = change(document) or {}
        document.save(said, **options)
        return said.getvalue()


def _script():
    return pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))


def _script_at_opening(document):
    document.Root.OpenAction = _script()


def _script_of_a_page(document):
    document.pages[0].obj.AA = pikepdf.Dictionary(O=_script())


def _script_of_a_field(document):
    field = pikepdf.Dictionary(FT=pikepdf.Name.Tx, T=pikepdf.String("a"), AA=pikepdf.Dictionary(K=_script()))
    document.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([document.make_indirect(field)]))


def _script_by_name(document):
    names = [pikepdf.String("a"), pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))]
    document.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=pikepdf.Array(names)))


def _encrypted(document):
    return {"encryption": pikepdf.Encryption(owner="o", user="u")}


def _encrypted_without_password(document):
    return {"encryption": pikepdf.Encryption(owner="o", user="")}


def _many_pages(document):
    document.Root.Pages.Kids = pikepdf.Array([document.pages[0].obj] * 10_000)
    document.Root.Pages.Count = 10_000


def _bomb(document):
    packed = zlib.compress(bytes(300_000_000), 1)
    picture = pikepdf.Stream(document, b"")
    picture.write(packed, filter=pikepdf.Name.FlateDecode)
    picture.stream_dict.update(
        {"/Type": pikepdf.Name.XObject, "/Subtype": pikepdf.Name.Image, "/Width": 30_000, "/Height": 10_000}
    )
    picture.stream_dict.update({"/ColorSpace": pikepdf.Name.DeviceGray, "/BitsPerComponent": 8})
    document.pages[0].Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=document.make_indirect(picture)))
    document.pages[0].Contents = document.make_stream(b"q 500 0 0 500 0 0 cm /Im0 Do Q")


def _endless(document):
    document.pages[0].Contents = document.make_stream(b"0 0 m 9 9 l S\n" * 6_000_000)


def _picture_bomb():
    said = io.BytesIO()
    Image.new("L", (20_000, 20_000)).save(said, "JPEG")
    return said.getvalue()


def _noise(seed):
    content = bytearray(papers.pdf() if seed % 2 else papers.jpeg())
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 80)):
        content[chance.randrange(8, len(content))] = chance.randrange(256)
    if chance.random() < 0.3:
        del content[chance.randrange(8, len(content)) :]
    return bytes(content), "pdf" if seed % 2 else "jpg"


HOSTILE = [
    ("script at opening", lambda: build(_script_at_opening), "pdf", {FaxReason.SCRIPT}),
    ("script of a page", lambda: build(_script_of_a_page), "pdf", {FaxReason.SCRIPT}),
    ("script of a field", lambda: build(_script_of_a_field), "pdf", {FaxReason.SCRIPT}),
    ("script by name", lambda: build(_script_by_name), "pdf", {FaxReason.SCRIPT}),
    ("encrypted", lambda: build(_encrypted), "pdf", {FaxReason.ENCRYPTED}),
    ("locked", lambda: build(_encrypted_without_password), "pdf", {FaxReason.ENCRYPTED}),
    ("many pages", lambda: build(_many_pages), "pdf", {FaxReason.TOO_MANY_PAGES}),
    ("bomb", lambda: build(_bomb), "pdf", {None, FaxReason.TOO_LARGE, FaxReason.BROKEN}),  # or an empty page
    ("endless", lambda: build(_endless), "pdf", {None, FaxReason.TOO_LARGE, FaxReason.TOO_SLOW}),
    ("picture bomb", _picture_bomb, "jpg", {FaxReason.TOO_LARGE}),
    ("nothing", lambda: b"%PDF-1.7", "pdf", {FaxReason.BROKEN}),
    ("empty picture", lambda: b"\xff\xd8\xff\xd9", "jpg", {FaxReason.BROKEN}),
    ("another picture", lambda: b"GIF89a" + bytes(99), "jpg", {FaxReason.BROKEN}),
]


# Run by an interpreter of its own, for a child's memory is counted together with that of whoever started it.
MEASURE = """
import json, resource, subprocess, sys
from pathlib import Path
program, folder, said = sys.argv[1], Path(sys.argv[2]), {}
for document in sorted(folder.iterdir()):
    argv = [sys.executable, "-I", program, str(document), document.suffix[1:], sys.argv[3]]
    done = subprocess.run(argv, capture_output=True)
    said[document.stem] = json.loads(done.stdout) if done.returncode == 0 else {"status": done.returncode}
print(json.dumps([said, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


def test_hostile_documents_are_refused_with_a_reason_and_take_no_more_memory(tmp_path, scale):
    folder, output = tmp_path / "documents", tmp_path / "output"
    folder.mkdir()
    output.mkdir()
    for name, make, kind, _reasons in HOSTILE:
        (folder / f"{name}.{kind}").write_bytes(make())
    for seed in range(scale(100) - len(HOSTILE)):
        content, kind = _noise(seed)
        (folder / f"noise {seed}.{kind}").write_bytes(content)

    argv = [sys.executable, "-c", MEASURE, str(conversion.PROGRAM), str(folder), str(output)]
    said, memory = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)

    assert memory < MOST_MEMORY
    for name, _make, _kind, reasons in HOSTILE:
        found = said[name]
        reason = conversion._why(-found["status"]) if "status" in found else found.get("reason")
        assert reason in reasons, name
    assert [n for n, found in said.items() if found.get("reason", "broken") not in FaxReason.values] == []


def test_a_document_that_is_refused_says_why(tmp_path):
    for content, reason in ((b"%PDF-1.7", FaxReason.BROKEN), (build(_encrypted), FaxReason.ENCRYPTED)):
        with pytest.raises(NotRendered) as refused:
            rendered(tmp_path, content)
        assert refused.value.reason == reason
