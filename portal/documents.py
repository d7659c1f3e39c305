"""Documents that customers upload: checked, and kept outside the web root under a random name.

Taken are PDF and JPEG up to 10 MB, or only PDF with so many pages at most. A PDF must open without a password and
without repair, be nothing else as well, and hold nothing that acts or is embedded; a part that unpacks to more than
64 MB is not unpacked.
"""

import io
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pikepdf
import pikepdf.settings
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from portal.refusals import Refused

MOST_BYTES = 10_000_000
KINDS = {"pdf": "application/pdf", "jpg": "image/jpeg", "tif": "image/tiff", "png": "image/png"}
_NAME = re.compile(r"[0-9a-f]{32}\.(pdf|jpg|tif|png)")
# Keys and kinds of what runs, sends, opens another file or carries one. Where a document opens (/OpenAction) is mostly
# a place; an action there is known by its kind.
_ACTIVE = frozenset(
    (
        *("/JS", "/JavaScript", "/XFA", "/AA", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE"),
        *("/EF", "/EmbeddedFile", "/EmbeddedFiles", "/RichMedia", "/Rendition", "/Movie", "/Sound"),
    )
)
_LOCKED = _("The PDF is protected by encryption. Please upload it without.")
_SCRIPTED = _("The PDF contains scripts, actions or embedded files. Please print it to a PDF and upload that.")
# A few bytes may unpack to gigabytes; of the packings only this one knows no limit.
_ROOM = 64 * 1024 * 1024
_UNLIMITED = re.compile(rb"/LZW")
# What reads a file from its beginning, or as an archive from its end, may find something else than a PDF.
_ELSE = re.compile(rb"<\s*(html|script|body|svg|!doctype|\?php)", re.IGNORECASE)
_ARCHIVE, _ARCHIVE_END, _BLANK = b"PK\x05\x06", 22 + 65535, b"\0\t\r\n\f "
pikepdf.settings.set_qpdf_limits(
    parser_max_nesting=100,
    doc_max_warnings=200,
    flate_max_memory=_ROOM,
    png_max_memory=_ROOM,
    tiff_max_memory=_ROOM,
    dct_max_memory=_ROOM,
    run_length_max_memory=_ROOM,
)


class Readable(Protocol):
    """Anything that bytes come from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, none at the end."""


class DocumentRefused(Refused):
    """The document cannot be taken; `reason` says why, for people."""


def keep(content: bytes, *, most_pages: int | None = None) -> str:
    """Check a document and keep it; return its random name. Raises DocumentRefused.

    With `most_pages` it has to be a PDF with at most so many.
    """
    return put(io.BytesIO(content), _kind(content, most_pages))


def put(content: Readable, kind: str) -> str:
    """Keep a document of a kind as it is, for what is large and looked at elsewhere; return its random name."""
    name = f"{secrets.token_hex(16)}.{kind}"
    folder = Path(settings.DOCUMENTS_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    path.touch(mode=0o600)
    try:
        with path.open("wb") as kept_as:
            shutil.copyfileobj(content, kept_as)
    except BaseException:
        path.unlink()
        raise
    return name


@contextmanager
def kept(content: bytes, *, most_pages: int | None = None) -> Iterator[str]:
    """Keep a document as `keep` does for what happens in the block; if that fails the document goes again.

    Without content there is nothing to keep, and the name is empty.
    """
    name = keep(content, most_pages=most_pages) if content else ""
    try:
        yield name
    except BaseException:
        discard(name)
        raise


def discard(name: str) -> None:
    """Delete a kept document, if there is one of this name."""
    if _NAME.fullmatch(name):
        (Path(settings.DOCUMENTS_DIR) / name).unlink(missing_ok=True)


def read(name: str) -> tuple[bytes, str]:
    """Return a kept document and its content type; raise FileNotFoundError if there is none of this name."""
    return place(name).read_bytes(), KINDS[name.rpartition(".")[2]]


def place(name: str) -> Path:
    """Return where a kept document lies; raise FileNotFoundError if the name is none."""
    if not _NAME.fullmatch(name):
        raise FileNotFoundError(name)
    return Path(settings.DOCUMENTS_DIR) / name


def pages(name: str) -> int:
    """Return how many pages a kept PDF has; raise FileNotFoundError if there is none of this name."""
    with pikepdf.open(io.BytesIO(read(name)[0])) as document:
        return len(document.pages)


def _kind(content: bytes, most_pages: int | None) -> str:
    if not content:
        raise DocumentRefused(_("The file is empty."))
    if len(content) > MOST_BYTES:
        raise DocumentRefused(_("The file is larger than 10 MB."))
    is_picture = content.startswith(b"\xff\xd8\xff") and content.rstrip(b"\x00\r\n").endswith(b"\xff\xd9")
    if is_picture and most_pages is None:
        return "jpg"
    if not content.startswith(b"%PDF-"):  # else it might be something else as well
        both = _("Please upload a PDF or a JPEG picture.")
        raise DocumentRefused(both if most_pages is None else _("Please upload a PDF."))
    _check_pdf(content, most_pages)
    return "pdf"


def _check_pdf(content: bytes, most_pages: int | None) -> None:
    _expect_only_a_pdf(content)
    try:
        with pikepdf.open(io.BytesIO(content), attempt_recovery=False) as document:
            if document.is_encrypted or "/Encrypt" in document.trailer:
                raise DocumentRefused(_LOCKED)
            _expect_pages(len(document.pages), most_pages)
            if any(_acts(thing) for thing in document.objects) or _acts(document.trailer):
                raise DocumentRefused(_SCRIPTED)
            if document.get_warnings():  # of what could not be read or unpacked nothing was looked at
                raise DocumentRefused(_("The PDF is damaged. Please print it to a PDF and upload that."))
    except pikepdf.PasswordError as error:
        raise DocumentRefused(_LOCKED) from error
    except (
        pikepdf.PdfError,
        MemoryError,
        RecursionError,
        TypeError,
        UnicodeError,
    ) as error:  # of names that are no text
        raise DocumentRefused(_("The PDF is damaged and cannot be read.")) from error


def _expect_only_a_pdf(content: bytes) -> None:
    _start, end, after = content.rpartition(b"%%EOF")
    if _ELSE.search(content[:1024]) or _ARCHIVE in content[-_ARCHIVE_END:] or (end and after.strip(_BLANK)):
        raise DocumentRefused(_("The file is not only a PDF. Please print it to a PDF and upload that."))
    if _UNLIMITED.search(re.sub(rb"#([0-9A-Fa-f]{2})", lambda said: bytes([int(said[1], 16)]), content)):
        raise DocumentRefused(_("The PDF is packed in an outdated way. Please print it to a PDF and upload that."))


def _expect_pages(count: int, most: int | None) -> None:
    if not count:
        raise DocumentRefused(_("The PDF has no pages."))
    if most is not None and count > most:
        text = _("The PDF has %(count)s pages; at most %(most)s are possible.")
        raise DocumentRefused(str(text) % {"count": count, "most": most})


def _acts(thing: Any) -> bool:
    """Return whether an object, or what is written within it, would act or carry a file."""
    waiting = [thing]
    while waiting:
        one = waiting.pop()
        if isinstance(one, pikepdf.Array):
            inside: list[Any] = list(one)
        elif isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
            names = [str(key) for key in one.keys()]  # noqa: SIM118 -- iterating a dictionary object yields no keys
            inside = [one.get(name) for name in names]
            said = [str(kind) for kind in (one.get("/S"), one.get("/Type")) if isinstance(kind, pikepdf.Name)]
            if not _ACTIVE.isdisjoint((*names, *said)):
                return True
        else:
            continue
        # What is an object of its own is looked at by itself.
        waiting += [inner for inner in inside if isinstance(inner, pikepdf.Object) and not inner.is_indirect]
    return False
