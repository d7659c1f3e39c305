"""Documents that customers upload: checked, and kept outside the web root under a random name.

Taken are PDF and JPEG up to 10 MB. A PDF must open without a password and hold nothing that acts or is embedded; a part
that unpacks to more than 64 MB is not unpacked.
"""

import io
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pikepdf
import pikepdf.settings
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from portal.refusals import Refused

MOST_BYTES = 10 * 1024 * 1024
KINDS = {"pdf": "application/pdf", "jpg": "image/jpeg"}
_NAME = re.compile(r"[0-9a-f]{32}\.(pdf|jpg)")
# Keys and kinds of what runs, sends, opens another file or carries one. Where a document opens (/OpenAction) is mostly
# a place; an action there is known by its kind.
_ACTIVE = frozenset(
    (
        *("/JS", "/JavaScript", "/XFA", "/AA", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE"),
        *("/EF", "/EmbeddedFile", "/EmbeddedFiles", "/RichMedia", "/Rendition", "/Movie", "/Sound"),
    )
)
_SCRIPTED = _("The PDF contains scripts, actions or embedded files. Please print it to a PDF and upload that.")
# A few bytes may unpack to gigabytes; of the packings only this one knows no limit.
_ROOM = 64 * 1024 * 1024
_UNLIMITED = re.compile(rb"/LZW")
_UNSEEN = re.compile("decoding|unfilterable|limit")  # of what could not be unpacked nothing was looked at
pikepdf.settings.set_qpdf_limits(
    parser_max_nesting=100,
    doc_max_warnings=200,
    flate_max_memory=_ROOM,
    png_max_memory=_ROOM,
    tiff_max_memory=_ROOM,
    dct_max_memory=_ROOM,
    run_length_max_memory=_ROOM,
)


class DocumentRefused(Refused):
    """The document cannot be taken; `reason` says why, for people."""


def keep(content: bytes) -> str:
    """Check a document and keep it; return its random name. Raises DocumentRefused."""
    name = f"{secrets.token_hex(16)}.{_kind(content)}"
    folder = Path(settings.DOCUMENTS_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    path.touch(mode=0o600)
    path.write_bytes(content)
    return name


@contextmanager
def kept(content: bytes) -> Iterator[str]:
    """Keep a document as `keep` does for what happens in the block; if that fails the document goes again.

    Without content there is nothing to keep, and the name is empty.
    """
    name = keep(content) if content else ""
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
    if not _NAME.fullmatch(name):
        raise FileNotFoundError(name)
    return (Path(settings.DOCUMENTS_DIR) / name).read_bytes(), KINDS[name.rpartition(".")[2]]


def _kind(content: bytes) -> str:
    if not content:
        raise DocumentRefused(_("The file is empty."))
    if len(content) > MOST_BYTES:
        raise DocumentRefused(_("The file is larger than 10 MB."))
    if content.startswith(b"\xff\xd8\xff") and content.rstrip(b"\x00\r\n").endswith(b"\xff\xd9"):
        return "jpg"
    if not content.startswith(b"%PDF-"):  # else it might be something else as well
        raise DocumentRefused(_("Please upload a PDF or a JPEG picture."))
    _check_pdf(content)
    return "pdf"


def _check_pdf(content: bytes) -> None:
    if _UNLIMITED.search(re.sub(rb"#([0-9A-Fa-f]{2})", lambda said: bytes([int(said[1], 16)]), content)):
        raise DocumentRefused(_("The PDF is packed in an outdated way. Please print it to a PDF and upload that."))
    try:
        with pikepdf.open(io.BytesIO(content)) as document:
            if document.is_encrypted:
                raise DocumentRefused(_("The PDF is protected by encryption. Please upload it without."))
            if not len(document.pages):
                raise DocumentRefused(_("The PDF has no pages."))
            if any(_acts(thing) for thing in document.objects) or _acts(document.trailer):
                raise DocumentRefused(_SCRIPTED)
            if any(_UNSEEN.search(str(warning)) for warning in document.get_warnings()):
                raise DocumentRefused(_("The PDF is damaged. Please print it to a PDF and upload that."))
    except pikepdf.PasswordError as error:
        raise DocumentRefused(_("The PDF is protected by encryption. Please upload it without.")) from error
    except (pikepdf.PdfError, MemoryError, RecursionError) as error:
        raise DocumentRefused(_("The PDF is damaged and cannot be read.")) from error


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
