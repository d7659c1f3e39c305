"""The operator's pool at a million numbers: looking for runs of neighbours, and for numbers by pattern."""

import re
import statistics
import time
from datetime import UTC, datetime

import psycopg

from bench.result import Result

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
BLOCKS, SIZE, WHOLE = 1000, 1000, 10  # blocks, numbers of each, and how many at the end are untouched
LIMIT = 50.0  # ms
# Three of five numbers are given at random, one of a hundred is reserved or rests: short runs are rare, and a hundred
# neighbours are only in the last blocks.
FILL = f"""
INSERT INTO numbers_poolarea (area_id, warn_from) SELECT id, 80 FROM numbers_localarea WHERE area_code = '999'
    ON CONFLICT DO NOTHING;
INSERT INTO numbers_poolblock (area_id, base_number, extension_digits, first, porting_code, given, longest_run,
    loaded_at)
    SELECT (SELECT id FROM numbers_localarea WHERE area_code = '999'), '+49999' || lpad(n::text, 5, '0'), 3,
           4999900000000 + n * {SIZE}, 'D999', 0, 0, now() FROM generate_series(1, {BLOCKS}) AS n;
SELECT setseed(0.7);
INSERT INTO numbers_poolnumber (value, block_id, area_id, price_class, free_from)
    SELECT first + n, id, area_id, 'standard',
           CASE WHEN id > (SELECT max(id) - {WHOLE} FROM numbers_poolblock) THEN '2026-01-01'::timestamptz
                WHEN random() < 0.6 THEN NULL
                WHEN random() < 0.01 THEN '2027-01-01'::timestamptz ELSE '2026-01-01'::timestamptz END
    FROM numbers_poolblock, generate_series(0, {SIZE - 1}) AS n ORDER BY 1;
SELECT pool_recount(array_agg(id)) FROM numbers_poolblock;
"""
SEARCHES = {
    "2 neighbours": ("pool_runs", {"length": 2, "aligned": False, "most": 12}),
    "10 neighbours": ("pool_runs", {"length": 10, "aligned": False, "most": 12}),
    "100 neighbours": ("pool_runs", {"length": 100, "aligned": False, "most": 12}),
    "a block of 10": ("pool_runs", {"length": 10, "aligned": True, "most": 12}),
    "a block of 100": ("pool_runs", {"length": 100, "aligned": True, "most": 12}),
    "more neighbours than there are": ("pool_runs", {"length": 1001, "aligned": False, "most": 12}),
    "the next 60 numbers": ("pool_numbers", {"pattern": "", "most": 60}),
    "60 numbers that end in 77": ("pool_numbers", {"pattern": "^49999[0-9]*77$", "most": 60}),
}
INDEXES = ("numbers_poolnumber_pkey", "pool_number_to_be_had")


def measure(db: psycopg.Connection, *, rounds: int) -> list[Result]:
    """Fill the pool, run each search as often and return how long the slowest kind takes, and its plan."""
    if not db.execute("SELECT count(*) FROM numbers_poolblock").fetchone()[0]:  # type: ignore[index]  # one row
        db.execute(FILL)
        db.commit()
        db.autocommit = True
        db.execute("VACUUM (ANALYZE) numbers_poolnumber, numbers_poolblock")
        db.autocommit = False
    area = db.execute("SELECT id FROM numbers_localarea WHERE area_code = '999'").fetchone()[0]  # type: ignore[index]
    return [_one(db, name, area, rounds) for name in SEARCHES]


def _one(db: psycopg.Connection, name: str, area: int, rounds: int) -> Result:
    function, fields = SEARCHES[name]
    given = {"wanted_area": area, **fields, "at": AT}
    call = f"SELECT * FROM {function}({', '.join(f'%({key})s' for key in given)})"
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        found = db.execute(call, given).fetchall()
        times.append((time.perf_counter() - began) * 1000)
    db.commit()
    used = _indexes(db, function, given)
    what = f"pool of {BLOCKS * SIZE:,}: {name} ({len(found)} found, by {', '.join(used) or 'no index'})"
    median = statistics.median(times)
    expected = function == "pool_runs" or bool(used)
    return Result(
        what, f"{median:.1f} ms (slowest {max(times):.1f})", f"≤ {LIMIT:.0f} ms", median <= LIMIT and expected
    )


def _indexes(db: psycopg.Connection, function: str, given: dict[str, object]) -> list[str]:
    """Return the indexes of the pool's numbers that the body of a function uses; none if it reads the whole table."""
    row = db.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [function]).fetchone()
    body = str(row[0]).replace("%", "%%")  # type: ignore[index]  # there is one
    named = re.sub(r"(?<![.\w])(" + "|".join(given) + r")\b", r"%(\1)s", body)
    plan = "\n".join(line for (line,) in db.execute("EXPLAIN " + named, given).fetchall())
    db.commit()
    return [] if "Seq Scan on numbers_poolnumber" in plan else [name for name in INDEXES if name in plan]
