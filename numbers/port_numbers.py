"""The numbers of a port order: read as people write them, and whether they can be ported (rules P1, P2, P6, V1)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import PriceClass
from numbers import addresses, areas, notation
from numbers.models import LocalArea, PhoneNumber, PortKind
from numbers.models.number import PhoneNumberQuerySet
from numbers.notation import Unreadable
from portal.refusals import Refused

MOST_SINGLE, MOST_DIGITS = 100, 3
_SHORTEST = 9  # +49 and six digits (rule N2)
_SEPARATORS = re.compile(r"[\n;,]+")
_EXTENSION = rf"[0-9]{{1,{MOST_DIGITS}}}"
TOO_FAR = _(
    "These numbers are too far apart to be one block. If they are one, please enter base number, first and last "
    "extension instead."
)
_TAKEN = _("This number cannot be ported: it is here already, or part of another open order.")
NO_TEMPORARY = _(
    "The temporary number is none of your active numbers, or costs another price than a ported one. Please choose "
    "another one, or none."
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What hinders an order: the field to correct, a sentence for people, and the number (E.164) if it is about one."""

    field: str
    sentence: Promise | str
    e164: str = ""


class NumbersRefused(Refused):
    """The numbers cannot be read like this; `problems` says what is wrong with each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0].sentence, problems[0].field)
        self.problems = list(problems)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What an order is about: single numbers (E.164), or a block with its base number and extensions."""

    kind: PortKind
    e164s: tuple[str, ...]
    base_number: str = ""
    first: str = ""
    last: str = ""
    pilot: str = ""

    @property
    def written(self) -> list[str] | str:
        """What the trace keeps of them: single numbers one by one, a block from its first to its last."""
        if self.kind == PortKind.SINGLE:
            return list(self.e164s)
        return f"{self.base_number}{self.first} – {self.base_number}{self.last}"


def singles(text: str) -> Numbers:
    """Return the numbers of a text, one per line or separated by commas, in any usual notation; each once.

    Raises NumbersRefused with what is wrong with each that cannot be read.
    """
    found = listed(text)
    if len(found) > MOST_SINGLE:
        sentence = _("At most 100 single numbers fit into one order. Order a block, or split them.")
        raise NumbersRefused([Problem("numbers", sentence)])
    return Numbers(PortKind.SINGLE, tuple(found))


def listed(text: str) -> list[str]:
    """Return the numbers (E.164) of a text in order, each once, however many. Raises NumbersRefused as `singles`."""
    found: set[str] = set()
    problems: list[Problem] = []
    for part in filter(None, (part.strip() for part in _SEPARATORS.split(text))):
        try:
            found.add(notation.parse(part))
        except Unreadable as error:
            problems.append(Problem("numbers", f"{part[:40]}: {error.reason}"))
    if not found and not problems:
        problems.append(Problem("numbers", _("Please enter the numbers to be ported.")))
    if problems:
        raise NumbersRefused(problems)
    return sorted(found)


def block(base: str, first: str, last: str, pilot: str = "") -> Numbers:
    """Return a block: base number in any usual notation, first and last extension, and that of the switchboard.

    The switchboard's may be shorter than the others and is a number of its own then, such as -0 beside -00 to -99.
    Raises NumbersRefused.
    """
    problems = _range_problems(first, last, pilot)
    width = len(first) if re.fullmatch(_EXTENSION, first) else 1
    try:
        base_number = _base(base, width)
    except Unreadable as error:
        problems.append(Problem("base_number", error.reason))
    if problems:
        raise NumbersRefused(problems)
    if pilot and len(base_number) + len(pilot) < _SHORTEST:
        raise NumbersRefused([Problem("pilot", _("The number is too short."))])
    extensions = [f"{value:0{width}}" for value in range(int(first), int(last) + 1)]
    if pilot and pilot not in extensions:
        extensions.insert(0, pilot)
    return Numbers(
        PortKind.BLOCK, tuple(f"{base_number}{digits}" for digits in extensions), base_number, first, last, pilot
    )


def holes(text: str) -> list[str]:
    """Return the numbers (E.164) that are missing between the first and the last of a list that is meant as a block.

    A block is ported whole, exactly as it is at the old provider (rule P2). Raises NumbersRefused as `singles`.
    """
    values = [int(e164[1:]) for e164 in listed(text)]
    if values[-1] - values[0] >= 10**MOST_DIGITS:
        raise NumbersRefused([Problem("numbers", TOO_FAR)])
    return [f"+{value}" for value in range(values[0], values[-1]) if value not in set(values)]


def findings(numbers: Numbers, *, own: int | None, at: datetime) -> list[Problem]:
    """Return what hinders these numbers from being ported, number by number (`own` is the order's id, if there is one).

    Length, one known area, an address verified there, not here already and in no other open order of anybody.
    """
    codes = {e164: notation.area_code(e164, areas.codes().keys()) for e164 in numbers.e164s}
    problems = [
        Problem("numbers", _("The area code of this number is not known. Please check it."), e164)
        for e164, code in codes.items()
        if code is None
    ]
    known = {code for code in codes.values() if code}
    if len(known) > 1:
        problems.append(
            Problem("numbers", _("All numbers of an order belong to one local area. Please make one order for each."))
        )
    verified = addresses.verified_areas(at)
    unverified = [areas.codes()[code] for code in sorted(known) if areas.codes()[code] not in verified]
    if unverified:
        sentence = str(_("You have no verified address in %(area)s. Please verify one first."))
        names = LocalArea.objects.filter(pk__in=unverified).order_by("sort_key").values_list("name", flat=True)
        problems += [Problem("numbers", sentence % {"area": name}) for name in names]
    return problems + not_free(taken(numbers.e164s, own=own))


def not_free(e164s: Iterable[str]) -> list[Problem]:
    """Return the problem that these numbers are here or in another open order, without saying whose (rule P6)."""
    return [Problem("numbers", _TAKEN, e164) for e164 in e164s]


def area_of(numbers: Numbers) -> LocalArea | None:
    """Return the local area of the first number, or None if it is not known."""
    code = notation.area_code(numbers.e164s[0], areas.codes().keys()) if numbers.e164s else None
    return LocalArea.objects.get(area_code=code) if code else None


def short(e164s: Iterable[str]) -> list[str]:
    """Return the numbers that are shorter than any given out today: old ones, or a digit is missing (rule N2)."""
    return [e164 for e164 in e164s if len(e164) - 3 < (10 if e164[3:5] in ("30", "40", "69", "89") else 11)]


def taken(e164s: Sequence[str], *, own: int | None) -> list[str]:
    """Return those that anybody holds, has in an open order, or can order from the pool; never whose they are (P6)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM port_taken(%s, %s)", [list(e164s), own or 0])
        return sorted(e164 for (e164,) in cursor.fetchall())


def temporaries(at: datetime) -> "PhoneNumberQuerySet":
    """Return the tenant's numbers that a ported one may replace: active, at the price of a ported one (rule S2)."""
    found: PhoneNumberQuerySet = PhoneNumber.objects.active(at).filter(price_class=PriceClass.STANDARD)
    return found


def _base(text: str, width: int) -> str:
    """Return a base number (E.164) to which extensions of so many digits belong. Raises Unreadable."""
    if not text.strip():
        raise Unreadable(_("Please enter the base number."))
    return notation.parse(f"{text} {'0' * width}")[:-width]


def _range_problems(first: str, last: str, pilot: str) -> list[Problem]:
    problems: list[Problem] = []
    if not re.fullmatch(_EXTENSION, first):
        return [Problem("range_from", _("Please enter the first extension with one to three digits."))]
    if not re.fullmatch(_EXTENSION, last) or len(last) != len(first):
        sentence = _("First and last extension have the same number of digits, e.g. 00 and 99.")
        problems.append(Problem("range_until", sentence))
    elif int(last) < int(first):
        problems.append(Problem("range_until", _("The last extension comes after the first.")))
    if not re.fullmatch(rf"[0-9]{{0,{MOST_DIGITS}}}", pilot) or len(pilot) > len(first):
        sentence = _("The extension of the switchboard has at most as many digits as the others.")
        problems.append(Problem("pilot", sentence))
    elif pilot not in ("", "0") and len(pilot) < len(first) and first <= pilot.ljust(len(first), "9") and pilot <= last:
        # only 0, the switchboard of most lines, may be what others begin with: whoever dials on is put through
        problems.append(Problem("pilot", _("Other extensions of the block begin with that of the switchboard.")))
    return problems
