"""Taking a list of blocks into the operator's pool, line by line (rules O1 and G5).

| the block                                 | line becomes | effect                                          |
|-------------------------------------------|--------------|-------------------------------------------------|
| is not in the pool                        | new          | all its numbers are added                       |
| is there with size and code as the line   | unchanged    | –                                               |
| is there otherwise, or overlaps with one  | conflict     | –                                               |
| cannot be read, or stands there twice     | error        | –                                               |

Numbers of a new block that a tenant holds already enter the pool as given. Good lines go in without the bad ones.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext as _

from numbers import areas, notation, pool
from numbers.importing import Finding, Kind
from numbers.models import PoolArea, PoolBlock
from numbers.notation import Unreadable
from numbers.number_lists import ListRefused, table
from numbers.pool import PatternRefused
from portal import audit, cells
from portal.models import User
from portal.rehearsal import rehearsal
from portal.sorting import fold

WORDS = {
    "base": "stammnummer basisnummer rumpfnummer kopfnummer basenumber base",
    "size": "grosse anzahl blockgrosse size count",
    "porting_code": "portierungskennung kennung portingcode code",
    "memorable": "einpragsam leichtzumerken premium memorable easytoremember",
}
COLUMNS = {word: name for name, words in WORDS.items() for word in words.split()}
SIZES = {"10": 1, "100": 2, "1000": 3}
_BASE_DIGITS = 3  # fewer behind the area code are no base number

_ADD = """
INSERT INTO numbers_poolnumber (value, block_id, area_id, price_class, free_from)
SELECT number, block.id, block.area_id,
       CASE WHEN block.memorable <> '' AND number::text ~ block.memorable THEN 'premium' ELSE 'standard' END,
       CASE WHEN EXISTS (SELECT 1 FROM numbers_phonenumber AS held WHERE held.e164 = '+' || number::text
                         AND held.state NOT IN ('returned', 'ported_out')) THEN NULL ELSE %(at)s END
FROM unnest(%(ids)s::bigint[], %(areas)s::bigint[], %(firsts)s::bigint[], %(sizes)s::int[], %(memorable)s::text[])
         AS block (id, area_id, first, size, memorable),
     generate_series(block.first, block.first + block.size - 1) AS number
"""


class _Bad(ValueError):
    """A line that cannot be taken, with the reason."""


@dataclass(frozen=True, slots=True)
class _Entry:
    base_number: str
    area_id: int
    extension_digits: int
    porting_code: str
    memorable: str

    @property
    def first(self) -> int:
        return int(self.base_number[1:] + "0" * self.extension_digits)

    @property
    def size(self) -> int:
        return int("1" + "0" * self.extension_digits)


def check(content: bytes, *, by: User | str, at: datetime) -> list[Finding]:
    """Return what `load` would do, without doing it (rule G5)."""
    with rehearsal():
        return load(content, by=by, at=at)


def load(content: bytes, *, by: User | str, at: datetime) -> list[Finding]:
    """Add the new blocks of a list (the bytes of a CSV file) to the pool; return one finding per line.

    Raises ListRefused when the file as a whole cannot be read. Needs the operator's role and every tenant.
    """
    rows = table(content)
    names = [COLUMNS.get(re.sub(r"[^a-z0-9]", "", fold(title)), "") for title in rows[0][1]]
    if not {"base", "size", "porting_code"} <= set(names):
        header = "Stammnummer;Größe;Portierungskennung;Einprägsam"
        raise ListRefused(_("The first line has to name the columns, e.g. %(header)s") % {"header": header})
    present = list(PoolBlock.objects.all())
    findings, fresh = list[Finding](), list[_Entry]()
    for line, row in rows[1:]:
        texts = {name: cells.original(cell).strip() for name, cell in zip(names, row, strict=False) if name}
        try:
            entry = _entry(texts)
            kind, reason = _compared(entry, present, fresh)
            findings.append(Finding(line, entry.base_number, kind, reason))
            if kind == Kind.NEW:
                fresh.append(entry)
        except (Unreadable, PatternRefused, _Bad) as error:
            findings.append(Finding(line, texts.get("base", "")[:40], Kind.ERROR, str(error)))
    _add(fresh, by=by, at=at)
    return findings


def _entry(texts: dict[str, str]) -> _Entry:
    digits = SIZES.get(re.sub(r"[.\s]", "", texts.get("size", "")))
    if digits is None:
        raise _Bad(_("The size has to be 10, 100 or 1000."))
    base = notation.parse(notation.unquoted(texts.get("base", "")) + "0" * digits)[:-digits]
    code = notation.area_code(base, areas.codes().keys())
    if code is None or len(base) < len("+49" + code) + _BASE_DIGITS:
        raise _Bad(_("There is no local area with this area code."))
    porting_code = texts.get("porting_code", "").upper()
    if not re.fullmatch(r"D[0-9]{3}", porting_code):
        raise _Bad(_("The porting code has to be a D and three digits, e.g. D123."))
    patterns = [pool.expression(text, code) for text in re.split(r"[,\s]+", texts.get("memorable", "")) if text]
    return _Entry(base, areas.codes()[code], digits, porting_code, "|".join(patterns))


def _compared(entry: _Entry, present: Sequence[PoolBlock], fresh: Sequence[_Entry]) -> tuple[Kind, str]:
    if any(_overlap(entry.base_number, other.base_number) for other in fresh):
        raise _Bad(_("Numbers of this block stand further up in the file already."))
    for block in present:
        if block.base_number == entry.base_number and block.extension_digits == entry.extension_digits:
            same = block.porting_code == entry.porting_code
            reason = _("Present with the porting code %(code)s. Nothing was changed.") % {"code": block.porting_code}
            return (Kind.UNCHANGED, "") if same else (Kind.CONFLICT, reason)
        if _overlap(entry.base_number, block.base_number):
            return Kind.CONFLICT, _("Overlaps with the block %(base)s of the pool.") % {"base": block.base_number}
    return Kind.NEW, ""


def _overlap(one: str, other: str) -> bool:
    """Return whether numbers of both would begin alike: the exchange could not tell them apart."""
    return one.startswith(other) or other.startswith(one)


def _add(entries: Sequence[_Entry], *, by: User | str, at: datetime) -> None:
    if not entries:
        return
    PoolArea.objects.bulk_create(
        [PoolArea(area_id=area_id) for area_id in sorted({entry.area_id for entry in entries})], ignore_conflicts=True
    )
    blocks = PoolBlock.objects.bulk_create(
        PoolBlock(
            area_id=entry.area_id,
            base_number=entry.base_number,
            extension_digits=entry.extension_digits,
            first=entry.first,
            porting_code=entry.porting_code,
            loaded_at=at,
        )
        for entry in entries
    )
    ids = [block.pk for block in blocks]
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD,
            {
                "at": at,
                "ids": ids,
                "areas": [entry.area_id for entry in entries],
                "firsts": [entry.first for entry in entries],
                "sizes": [entry.size for entry in entries],
                "memorable": [entry.memorable for entry in entries],
            },
        )
        cursor.execute("SELECT pool_recount(%s)", [ids])
    after = {block.pk: {"size": block.size, "porting_code": block.porting_code} for block in blocks}
    trace = [audit.Entry("pool", block.pk, block.base_number, {}, after[block.pk]) for block in blocks]
    audit.record("pool.loaded", trace, by=by, at=at)
