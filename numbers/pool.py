"""The operator's pool of numbers that nobody holds yet (rules O1 and O2).

| a number is | because                                            | and becomes                                  |
|-------------|----------------------------------------------------|----------------------------------------------|
| free        | its `free_from` has passed                         | reserved (reserve), given (inventory.add)    |
| reserved    | somebody chose it less than 15 minutes ago         | free by time alone; given (claim)            |
| given       | somebody holds it                                  | resting (rest), once its holder returned it  |
| resting     | it was returned less than 90 days ago              | free by time alone                           |

Customers' processes reach the pool through narrow functions of the database. Each takes its rows in one statement and
skips what others hold locked, so buyers never wait for one another and no number is given twice.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from billing.models import PriceClass
from portal.refusals import Refused

MOST = 1000  # numbers one tenant may have reserved at a time
TRIES = 8  # runs of neighbours that are tried before somebody is told that others were faster
_PATTERN = re.compile(r"[0-9?*]{1,12}")


class PatternRefused(Refused):
    """A search for nicer numbers that cannot be read; `reason` says why, for people."""


@dataclass(frozen=True, slots=True)
class Free:
    """A number that can be had: E.164, and the price class it would have."""

    e164: str
    price_class: str


@dataclass(frozen=True, slots=True)
class Basket:
    """What somebody reserved: numbers of one area in ascending order, and until when nobody else can take them."""

    area_id: int
    numbers: Sequence[Free]
    until: datetime


def expression(text: str, area_code: str) -> str:
    """Return a search as people write it (`*777`, `12?21`) as a regular expression on the whole number.

    `?` is one digit, `*` any digits; without a star the digits may stand anywhere behind the area code. An empty text
    finds everything. Raises PatternRefused.
    """
    said = "".join(text.split())
    if not said:
        return ""
    if not _PATTERN.fullmatch(said):
        raise PatternRefused(_("Please use digits, ? for one digit and * for any digits, e.g. *777 or 12?21."))
    if not re.search(r"[0-9]", said):
        raise PatternRefused(_("Please give at least one digit."))
    digits = re.sub(r"\*+", "[0-9]*", said).replace("?", "[0-9]")
    return f"^49{area_code}{digits}$" if "*" in said else f"^49{area_code}[0-9]*{digits}"


def numbers(area_id: int, *, pattern: str = "", most: int, at: datetime) -> list[Free]:
    """Return the first numbers of an area that can be had and match a pattern (see `expression`)."""
    rows = _rows("SELECT value, price_class FROM pool_numbers(%s, %s, %s, %s)", area_id, pattern, most, at)
    return [Free(f"+{value}", price_class) for value, price_class in rows]


def runs(area_id: int, *, length: int, aligned: bool = False, most: int, at: datetime) -> list[str]:
    """Return the first numbers (E.164) of the first runs of free neighbours; `aligned` ones make a whole block."""
    rows = _rows("SELECT * FROM pool_runs(%s, %s, %s, %s, %s)", area_id, length, aligned, most, at)
    return [f"+{first}" for (first,) in rows]


def reserve(area_id: int, e164s: Sequence[str], *, basket: UUID, at: datetime) -> list[str]:
    """Reserve those of these numbers that can be had for 15 minutes; return them. Waits for nobody."""
    return _reserve(area_id, [int(e164[1:]) for e164 in e164s], "", len(e164s), basket, at)


def reserve_next(area_id: int, *, count: int, pattern: str = "", basket: UUID, at: datetime) -> list[str]:
    """Reserve the next numbers that can be had, up to `count`, for 15 minutes; return them."""
    return _reserve(area_id, None, pattern, count, basket, at)


def reserve_run(area_id: int, *, length: int, aligned: bool, basket: UUID, at: datetime) -> list[str]:
    """Reserve the next run of free neighbours, whole; return it, or nothing if there is none or others were faster."""
    for first in runs(area_id, length=length, aligned=aligned, most=TRIES, at=at):
        if taken := reserve_whole(area_id, first, length=length, basket=basket, at=at):
            return taken
    return []


def reserve_whole(area_id: int, first: str, *, length: int, basket: UUID, at: datetime) -> list[str]:
    """Reserve the neighbours that begin with this number, all of them or none; return them."""
    begin = int(first[1:])
    taken = reserve(area_id, [f"+{value}" for value in range(begin, begin + length)], basket=basket, at=at)
    if len(taken) == length:
        return taken
    release(basket, at=at)
    return []


def basket(key: UUID) -> Basket | None:
    """Return what the announced tenant reserved under this key and nobody else has taken since, or None."""
    rows = _rows("SELECT value, area_id, price_class, reserved_until FROM pool_basket(%s)", key)
    if not rows:
        return None
    return Basket(rows[0][1], [Free(f"+{row[0]}", row[2]) for row in rows], rows[0][3])


def hold(key: UUID, *, until: datetime, renamed: UUID | None = None) -> None:
    """Keep what was reserved under this key until another instant, under another key if one is given."""
    _rows("SELECT pool_keep(%s, %s, %s)", key, renamed or key, until)


def release(key: UUID, *, at: datetime) -> None:
    """Give back what was reserved under this key."""
    hold(key, until=at)


def claim(key: UUID) -> list[str]:
    """Take what was reserved under this key out of the pool for good; return it. `inventory.add` has to follow.

    What somebody else has got meanwhile is missing. A reservation that has run out still counts as long as nobody took
    its numbers.
    """
    return sorted(f"+{value}" for (value,) in _rows("SELECT * FROM pool_claim(%s)", key))


def note_given(e164s: Sequence[str]) -> None:
    """Note that the announced tenant holds these numbers now, wherever they came from."""
    _rows("SELECT pool_given(%s)", list(e164s))


def rest(e164s: Sequence[str], *, at: datetime) -> datetime:
    """Let numbers that the announced tenant has returned rest before others get them; return until when (rule O2)."""
    until = at + timedelta(days=settings.POOL_REST_DAYS)
    _rows("SELECT pool_rest(%s, %s)", list(e164s), until)
    return until


def kind_of(value: int, patterns: Iterable[str]) -> PriceClass:
    """Return the price class of a number of the pool: easy to remember if one of the expressions finds it."""
    premium = any(re.search(pattern, str(value)) for pattern in patterns)
    return PriceClass.PREMIUM if premium else PriceClass.STANDARD


def _reserve(area_id: int, wanted: list[int] | None, pattern: str, count: int, basket: UUID, at: datetime) -> list[str]:
    until = at + timedelta(minutes=settings.POOL_RESERVE_MINUTES)
    statement = "SELECT * FROM pool_reserve(%s, %s, %s, %s, %s, %s, %s)"
    return sorted(f"+{value}" for (value,) in _rows(statement, area_id, wanted, pattern, count, basket, at, until))


def _rows(statement: str, *given: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(given))
        return list(cursor.fetchall())
