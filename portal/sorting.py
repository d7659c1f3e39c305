"""How German lists sort and search names, computed here because the database's own order knows bytes only."""

import unicodedata

_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "ı": "i"})


def fold(text: str) -> str:
    """Return a text folded for German sorting and searching: lower case, no accents, ä = a, ß = ss."""
    parts = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    return " ".join("".join(letter for letter in parts if not unicodedata.combining(letter)).split())
