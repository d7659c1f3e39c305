"""What stands in the window of a letter: at most six lines that fit, else a person has to word them (rule V4)."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

from numbers.models import Address
from numbers.paper import FONTS

LINES = 6
WIDTH = 74.0  # mm: from the text edge (25) to the window's (105), less 4 for shifted paper and 2 of margin
SIZE = 10.0  # pt
_MM = 25.4 / 72
_KERNING = 1.02  # what pairs of letters may add to the sum of their widths


def lines(address: Address) -> list[str]:
    """Return an address as DIN 5008 writes it: company, addition, street, postcode and town."""
    street = f"{address.street} {address.house_number}"
    return [line for line in (address.company, address.extra, street, f"{address.postcode} {address.town}") if line]


def fits(lines: Sequence[str]) -> bool:
    """Return whether these lines can be printed as they are: few enough, short enough, every sign in the font."""
    return 0 < len(lines) <= LINES and all(_known(line) and width(line) <= WIDTH for line in lines)


def width(line: str) -> float:
    """Return how wide a line is, in mm; signs that the font lacks count as wide ones."""
    advances = _advances()
    return sum(advances.get(sign, 1.0) for sign in line) * SIZE * _MM * _KERNING


def tidy(text: str) -> str:
    """Return a text without invisible signs (controls, marks of direction) and doubled blanks, letters composed."""
    shown = "".join(" " if sign.isspace() else sign for sign in unicodedata.normalize("NFC", text))
    return " ".join("".join(sign for sign in shown if unicodedata.category(sign)[0] != "C").split())


def _known(line: str) -> bool:
    return bool(line.strip()) and tidy(line) == line and all(sign in _advances() for sign in line)


@cache
def _advances() -> dict[str, float]:
    """Return how wide each sign of the font is, in parts of the size; read once per process."""
    from fontTools.ttLib import TTFont  # noqa: PLC0415 -- only who asks for a letter needs it

    found: dict[str, float] = {}
    for path in FONTS.values():
        font: Any = TTFont(path)
        size, widths = font["head"].unitsPerEm, font["hmtx"]
        found = {chr(code): widths[name][0] / size for code, name in font.getBestCmap().items()} | found
        font.close()
    return found
