"""Lists of numbers as they really come: CSV of any spreadsheet, in any of the usual encodings and separators.

This module turns bytes into lines; `numbers.importing` decides what becomes of them.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal import cells
from portal.refusals import Refused
from portal.sorting import fold

MOST_BYTES = 5 * 1024 * 1024
MOST_LINES = 50_000
SAMPLE = 50  # lines that the separator and the number's column are told from

WORDS = {
    "number": "rufnummer rufnummern nummer telefonnummer rufnr telefon telefonnr phonenumber phone number e164 msisdn",
    "label": "bezeichnung label name beschreibung description",
    "usage": "verwendung nutzung usage",
    "note": "notiz bemerkung bemerkungen anmerkung kommentar note notes comment remark",
    "base": "stammnummer basisnummer rumpfnummer kopfnummer basenumber base",
    "extension": "durchwahl nebenstelle extension ext",
    "price_class": "preisklasse tarif priceclass",
}
COLUMNS = {word: name for name, words in WORDS.items() for word in words.split()}
WITHOUT_HEADER = ("number", "label", "usage", "note")  # what columns mean if no line says so

_LIKE_A_NUMBER = re.compile(r"[='\"]*\+?[0-9(][0-9()/.,\-–\s\u00a0+eE]{3,}\"?")
_EXPONENT = re.compile(r"[0-9],[0-9]+[eE]\+?[0-9]+")
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
# What German text in Windows-1252 holds; anything else was written in another encoding.
_FAMILIAR = re.compile(r"[\x00-\x7fäöüÄÖÜßéèêëáàâåçñóòôøíìîïúùûæœÉÈÁÀÅÇÑÓØ€§°²³´·«»–—„“”‚‘’…®©™½¼\u00a0]*")
_QUOTE_IN_A_WORD = re.compile(r"[A-Za-z][„”][a-z]")  # ä and ö of the old DOS encoding


class ListRefused(Refused):
    """The file as a whole cannot be read; `reason` says why, for people."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list: where it stands in the file (from 1), and its cells by column."""

    at: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True)
class NumberList:
    """A list that was read. `ignored` are the titles of columns that say nothing to us."""

    lines: Sequence[Line]
    ignored: Sequence[str] = field(default_factory=list)


def read(content: bytes) -> NumberList:
    """Return the lines of a list; raise ListRefused when the file as a whole is too large, no text or no such list."""
    rows = table(content)
    columns, ignored, body = _columns(rows)
    return NumberList([_line(at, row, columns) for at, row in body], ignored)


def table(content: bytes) -> list[tuple[int, list[str]]]:
    """Return (line of the file, cells) of every row that is not blank; raise ListRefused as `read` does."""
    if len(content) > MOST_BYTES:
        raise ListRefused(_("The file is larger than 5 MB. Please split it."))
    text = _decoded(content)
    if not text.strip():
        raise ListRefused(_("The file is empty."))
    hint = re.match(r"sep=([;,\t])\r?\n", text)  # Excel's own way to say it
    rows = list(_rows(text, hint[1] if hint else _separator(text)))[1 if hint else 0 :]
    if not rows:
        raise ListRefused(_("The file is empty."))
    if len(rows) > MOST_LINES:
        raise ListRefused(_("The file has more than 50,000 lines. Please split it."))
    return rows


def _decoded(content: bytes) -> str:
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ListRefused(_("This is a workbook. Please save it as CSV and import that file."))
    text = _text(content)
    if text is None or _BINARY.search(text):
        raise ListRefused(_("This is not a text file. Please save the list as CSV."))
    return text


def _text(content: bytes) -> str | None:
    """Return the text, or None if it has no encoding that a byte order mark or UTF-8 could explain and is binary."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError:
            return None
    if b"\x00" in content:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    unknown = ListRefused(_("The file's encoding is unknown. Please save it as CSV in UTF-8."))
    try:
        text = content.decode("windows-1252")
    except UnicodeDecodeError:
        raise unknown from None
    if not _BINARY.search(text) and (not _FAMILIAR.fullmatch(text) or _QUOTE_IN_A_WORD.search(text)):
        raise unknown
    return text


def _separator(text: str) -> str:
    """Return what separates the columns; a list of one column gets the semicolon, which then never occurs."""
    sample = [_EXPONENT.sub("", line) for line in text.splitlines()[: SAMPLE * 4] if line.strip()][:SAMPLE]
    for separator in ("\t", ";", ","):
        header = [_column(cell) for cell in sample[0].split(separator)]
        if len(header) > 1 and ("number" in header or "base" in header):
            return separator
    return max(("\t", ";", ","), key=lambda separator: sum(separator in line for line in sample)) if sample else ";"


def _rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line of the file, cells) of every row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    before = 0
    try:
        for row in reader:
            at, before = before + 1, reader.line_num
            if any(cell.strip() for cell in row):
                yield at, row
    except csv.Error as error:
        reason = gettext("Line %(line)s of the file cannot be read: a quotation mark is missing or superfluous.")
        raise ListRefused(reason % {"line": before + 1}) from error


def _columns(rows: list[tuple[int, list[str]]]) -> tuple[list[str], list[str], list[tuple[int, list[str]]]]:
    """Return the column names by position ("" is ignored), the ignored titles, and the rows below the header."""
    titles = rows[0][1]
    names = [_column(title) for title in titles]
    if "number" in names or {"base", "extension"} <= set(names):
        for name in filter(None, names):
            if names.count(name) > 1:
                twice = ", ".join(title.strip() for title in titles if _column(title) == name)
                raise ListRefused(gettext("Several columns mean the same: %(titles)s") % {"titles": twice})
        ignored = [title.strip() for title, name in zip(titles, names, strict=True) if title.strip() and not name]
        return names, ignored, rows[1:]
    if not any(_LIKE_A_NUMBER.fullmatch(row[0].strip()) for _at, row in rows[:SAMPLE]):
        raise ListRefused(
            gettext("No column of phone numbers was found. Please name the columns in the first line, e.g. %(header)s")
            % {"header": "Rufnummer;Bezeichnung"}
        )
    return list(WITHOUT_HEADER), [], rows


def _column(title: str) -> str:
    return COLUMNS.get(re.sub(r"[^a-z0-9]", "", fold(title)), "")


def _line(at: int, row: list[str], columns: list[str]) -> Line:
    named = zip(columns, row, strict=False)  # rows may be shorter, and longer by what a stray separator left
    texts = {name: cells.original(cell).strip() for name, cell in named if name}
    return Line(at, {name: text if name == "note" else " ".join(text.split()) for name, text in texts.items() if text})
