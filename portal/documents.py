"""Documents that customers upload: checked, and kept outside the web root under a random name.

Taken are PDF and JPEG up to 10 MB. A PDF must open without a password and hold nothing that acts or is embedded.
"""

import io
import re
import secrets
from pathlib import Path

import pikepdf
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MOST_BYTES = 10 * 1024 * 1024
KINDS = {"pdf": "application/pdf", "jpg": "image/jpeg"}
_NAME = re.compile(r"[0-9a-f]{32}\.(pdf|jpg)")
_ACTIVE = (
    "/JS",
    "/JavaScript",
    "/Launch",
    "/EmbeddedFile",
    "/EmbeddedFiles",
    "/OpenAction",
    "/AA",
    "/RichMedia",
    "/EF",
)


class DocumentRefused(ValueError):
    """The document cannot be taken; `reason` says why, for people."""

    def __init__(self, reason: Promise | str) -> None:
        super().__init__(str(reason))
        self.reason = reason


def keep(content: bytes) -> str:
    """Check a document and keep it; return its random name. Raises DocumentRefused."""
    name = f"{secrets.token_hex(16)}.{_kind(content)}"
    folder = Path(settings.DOCUMENTS_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    path.touch(mode=0o600)
    path.write_bytes(content)
    return name


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
    if b"%PDF-" not in content[:1024]:
        raise DocumentRefused(_("Please upload a PDF or a JPEG picture."))
    _check_pdf(content)
    return "pdf"


def _check_pdf(content: bytes) -> None:
    try:
        with pikepdf.open(io.BytesIO(content)) as document:
            if document.is_encrypted:
                raise DocumentRefused(_("The PDF is protected by encryption. Please upload it without."))
            if not len(document.pages):
                raise DocumentRefused(_("The PDF has no pages."))
            if any(_acts(thing) for thing in document.objects):
                raise DocumentRefused(
                    _("The PDF contains scripts, actions or embedded files. Please print it to a PDF and upload that.")
                )
    except pikepdf.PasswordError as error:
        raise DocumentRefused(_("The PDF is protected by encryption. Please upload it without.")) from error
    except pikepdf.PdfError as error:
        raise DocumentRefused(_("The PDF is damaged and cannot be read.")) from error


def _acts(thing: pikepdf.Object, depth: int = 0) -> bool:
    """Return whether an object, or what is written within it, would act or carry a file."""
    if isinstance(thing, pikepdf.Array):
        return depth < 20 and any(_acts(inner, depth + 1) for inner in thing if not _elsewhere(inner))
    if not isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        return False
    names = {str(key) for key in thing.keys()}  # noqa: SIM118 -- iterating a dictionary object yields no keys
    kinds = {str(thing.get(key)) for key in ("/S", "/Type") if isinstance(thing.get(key), pikepdf.Name)}
    if names.intersection(_ACTIVE) or kinds.intersection(_ACTIVE):
        return True
    inside = [inner for key in names if (inner := thing.get(key)) is not None and not _elsewhere(inner)]
    return depth < 20 and any(_acts(inner, depth + 1) for inner in inside)


def _elsewhere(thing: object) -> bool:
    """Return whether this is an object of its own, which is looked at by itself."""
    return isinstance(thing, pikepdf.Object) and thing.is_indirect
