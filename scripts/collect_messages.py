"""Collect every text to translate into the message catalogues, with Django's and Babel's own readers.

    python scripts/collect_messages.py [--check]

New texts come in untranslated, texts that nothing says any more go. `--check` writes nothing and fails if it would.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
APPS = ("portal", "staff", "billing", "numbers", "fax")
KEYWORDS = DEFAULT_KEYWORDS | {
    "_t": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def sources() -> Iterator[str]:
    """Yield every module and, as Django reads it for translators, every template."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            yield path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "templates").rglob("*.*")):
        if path.suffix in (".html", ".txt"):
            lines = templatize(path.read_text(encoding="utf-8"), origin=str(path)).splitlines()
            yield "\n".join(line.strip() for line in lines)


def collect() -> Catalog:
    found = Catalog()
    for text in sources():
        for _, message, _, context in extract("python", io.BytesIO(text.encode()), KEYWORDS):
            if message:
                found.add(message, context=context)
    return found


def update(path: Path, found: Catalog) -> bytes:
    """Return the catalogue with exactly the texts found, sorted, what was translated kept."""
    with path.open("rb") as source:
        catalogue = read_po(source, locale=path.parts[-3])
    header = catalogue.header_comment, catalogue.mime_headers
    catalogue.update(found, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.header_comment, catalogue.mime_headers = header
    for message in catalogue:
        message.locations = []
    out = io.BytesIO()
    write_po(out, catalogue, no_location=True, sort_output=True, ignore_obsolete=True, width=0)
    return out.getvalue()


def main() -> int:
    settings.configure()
    found, stale = collect(), []
    for path in sorted((ROOT / "locale").rglob("*.po")):
        new = update(path, found)
        if new != path.read_bytes():
            stale.append(path.relative_to(ROOT))
            if "--check" not in sys.argv:
                path.write_bytes(new)
    if stale and "--check" in sys.argv:
        sys.stderr.writelines(f"{path} is not up to date: run `make messages`.\n" for path in stale)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
