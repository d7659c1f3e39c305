"""How numbers are written: read in any notation, kept as E.164, shown after DIN 5008 (rules N1 and N2)."""

import re
import unicodedata
from collections.abc import Set as AbstractSet

import phonenumbers
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.sorting import fold

NBSP = "\u00a0"
NB_HYPHEN = "\u2011"


class Unreadable(ValueError):
    """The text is not a German geographic number; `reason` says why, for people."""

    def __init__(self, reason: Promise | str) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Forbidden(Unreadable):
    """The number is one, but nobody may be sent there: emergency, service and premium-rate numbers."""


_ALLOWED = re.compile(r"[0-9+()/.\-\s\u00a0\u2007\u2010-\u2015\u202f]+")
_SHORTENED = re.compile(r"[0-9]+[.,]?[0-9]*\s?[eE]\s?[+-]?[0-9]+|[0-9]{8,}[.,]0+")  # 4,93E+11 and 493023125012.0
_TRUNK = re.compile(r"(?<=49)[\s/.\-]*\(\s*0\s*\)")  # the zero in +49 (0)30, not the one in (0)30
_WORDS = re.compile(r"(?:telefon|phone|tel|fon|fax)\s*[.:]{0,2}\s*", re.IGNORECASE)


def parse(text: str) -> str:
    """Return the E.164 form of a German geographic number in any usual notation; raise Unreadable with the reason.

    Takes `030 / 23125-012`, `+49 (0)30 23125012`, `0049…`, `="+4930…"`, `tel:+49…`. Rule N2: the country is forced to
    49 and our own length rule applies.
    """
    raw = _without_words(unquoted(text))
    if not raw:
        raise Unreadable(_("There is no number."))
    if _SHORTENED.fullmatch(raw):
        raise Unreadable(_("A spreadsheet shortened this number; please format the column as text and export again."))
    if not _ALLOWED.fullmatch(raw):
        raise Unreadable(_("This is not a phone number."))
    return checked(_international(raw))


def _without_words(raw: str) -> str:
    return _WORDS.sub("", raw, count=1) if _WORDS.match(raw) else raw


def unquoted(text: str) -> str:
    """Return what stands in a cell, without what keeps a spreadsheet from reading it as a sum: `="+4930…"`, `'030…`.

    Invisible marks go too, which telephone and mail programs copy along with a number.
    """
    visible = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    raw = visible.strip().removeprefix("'").strip()
    if quoted := re.fullmatch(r'="?([^"]*)"?|"([^"]*)"', raw):
        raw = (quoted[1] or quoted[2] or "").strip()
    return raw


def _international(raw: str) -> str:
    digits = _digits(raw)
    if digits.startswith("+49"):
        return "+49" + digits[3:].removeprefix("0")
    if digits.startswith("+"):
        raise Unreadable(_("Only German numbers (+49) can be managed here."))
    if not digits.startswith("0"):
        raise Unreadable(_("The area code is missing."))
    return "+49" + digits[1:]


def _digits(raw: str) -> str:
    """Return the digits of a number, led by a plus wherever a country was named."""
    digits = re.sub(r"[^0-9+]", "", _TRUNK.sub("", raw))
    if "+" in digits[1:]:
        raise Unreadable(_("This is not a phone number."))
    if digits.startswith("49") and len(digits) > 10:  # a spreadsheet took the plus away
        return "+" + digits
    return re.sub(r"^00", "+", digits)


def checked(e164: str) -> str:
    """Return the number if it is German, geographic and of a possible length; raise Unreadable otherwise."""
    if not re.fullmatch(r"\+49[0-9]+", e164):
        raise Unreadable(_("This is not a phone number."))
    national = e164[3:]
    if national.startswith("0"):
        raise Unreadable(_("This is not a phone number."))
    if national.startswith("1"):
        raise Unreadable(_("Mobile and service numbers cannot be managed here."))
    if national[:3] in ("700", "800", "900", "180", "137") or national.startswith(("31", "32")):
        raise Unreadable(_("Mobile and service numbers cannot be managed here."))
    if len(national) < 6:
        raise Unreadable(_("The number is too short."))
    if len(national) > 11:
        raise Unreadable(_("The number is too long."))
    return e164


def area_code(e164: str, known: AbstractSet[str]) -> str | None:
    """Return the area code (without 0) of a number: the longest known code that it begins with, or None."""
    national = e164[3:]
    return next((national[:n] for n in (5, 4, 3, 2) if national[:n] in known), None)


def national(e164: str, area: str, *, base_number: str = "", extension: str = "") -> str:
    """Return the number as DIN 5008 writes it, unbreakable: `030 23125-012` in a block, else `030 23125012`."""
    if extension:
        return f"0{area}{NBSP}{base_number[3 + len(area) :]}{NB_HYPHEN}{extension}"
    return f"0{area}{NBSP}{e164[3 + len(area) :]}"


def international(e164: str, area: str, *, base_number: str = "", extension: str = "") -> str:
    """Return the international form of DIN 5008, unbreakable: `+49 30 23125-012`."""
    return f"+49{NBSP}" + national(e164, area, base_number=base_number, extension=extension)[1:]


def search_text(term: str) -> str:
    """Return a search term as the search text holds it: digits of a number in any notation, else folded words."""
    if re.fullmatch(r"[0-9+()/.\-\s\u00a0\u2010-\u2015]*[0-9][0-9+()/.\-\s\u00a0\u2010-\u2015]*", term):
        digits = re.sub(r"[^0-9+]", "", term.replace("(0)", ""))
        return re.sub(r"^(\+|00)", "", digits)
    return fold(term)


def parse_destination(text: str) -> str:
    """Return a dialable destination as E.164 (any country); raise Unreadable if it is not one.

    Emergency, short, service and premium-rate numbers are none, however they are written.
    """
    raw = _without_words(unquoted(text))
    if not _ALLOWED.fullmatch(raw):
        raise Unreadable(_("This is not a phone number."))
    digits = _digits(raw)
    if re.fullmatch(r"(\+49)?0?(110|112)", digits):
        raise Forbidden(_("Emergency numbers cannot be a destination."))
    if re.match(r"(\+49|0|)0?(10|11|12|13[78]|180|19|900)", digits):
        raise Forbidden(_("Service and premium-rate numbers cannot be a destination."))
    return _abroad(digits) if re.match(r"\+(?!49)", digits) else _in_germany(digits)


def _in_germany(digits: str) -> str:
    if not digits.startswith(("+", "0")):
        raise Unreadable(_("The area code is missing."))
    national = re.sub(r"^(\+49)?0?", "", digits)
    if not 6 <= len(national) <= 11 or national.startswith("0"):
        raise Unreadable(_("This number is too short or too long."))
    return f"+49{national}"


def _abroad(digits: str) -> str:
    try:
        number = phonenumbers.parse(digits)
    except phonenumbers.NumberParseException as error:
        raise Unreadable(_("This is not a phone number.")) from error
    kind = phonenumbers.number_type(number)
    if kind in (phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST):
        raise Forbidden(_("Premium-rate numbers cannot be a destination."))
    if not phonenumbers.is_possible_number(number):
        raise Unreadable(_("This number is too short or too long."))
    if not phonenumbers.is_valid_number(number):  # such as 00221… where 0221… was meant (rule N2)
        raise Unreadable(_("There is no such number in that country. Please check it."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
