"""Cells of CSV files that spreadsheets open: nothing runs as a formula, and a round trip is exact (rule N4)."""

import csv
import io
from collections.abc import Iterable
from typing import Any

BOM = "\ufeff"  # tells a spreadsheet that the text is UTF-8
_MARKED = ("=", "+", "-", "@", "\t", "\r", "'")


def neutral(text: str) -> str:
    """Return a text as a cell that a spreadsheet shows and does not run; `original` is its inverse."""
    return f"'{text}" if text.startswith(_MARKED) else text


def original(cell: str) -> str:
    """Return the text that `neutral` made this cell of."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_MARKED) else cell


def number(e164: str) -> str:
    """Return a number as a cell in which a spreadsheet keeps the plus and every zero."""
    return f'="{e164}"'


def table(lines: Iterable[Iterable[Any]]) -> str:
    """Return lines of cells as CSV text, as German spreadsheets expect it."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(lines)
    return text.getvalue()
