"""The benchmark's world: a million numbers, made by COPY."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime

import psycopg
from psycopg.conninfo import make_conninfo

TENANTS = [50_000, *[10_000] * 10, *[859] * 989]
BLOCK = 100
BIG, MIDDLE, SMALL = 1, 2, 500  # tenants measured: of 50,000, 10,000 and 859 numbers
NUMBER_COLUMNS = (
    "id, tenant_id, e164, base_number, extension_digits, area_id, state, last_active_on, active_since, usage, label,"
    " note, price_class, allocated_at"
)
LABELS = ("Empfang", "Vertrieb Süd", "Werkstatt", "Buchhaltung", "Notdienst", "Lager", "Einkauf", "Bereitschaft", "")


def scale(total: int) -> list[int]:
    """Return the tenants' sizes for a world of about `total` numbers."""
    return [max(60, size * total // 1_000_000) for size in TENANTS]


def _blocks(sizes: list[int]) -> Iterator[tuple[int, int]]:
    """Yield (tenant, count) in blocks of 100, shuffled, so that a tenant's rows lie scattered on disk."""
    tenants = enumerate(sizes, 1)
    blocks = [(tenant, min(BLOCK, size - n)) for tenant, size in tenants for n in range(0, size, BLOCK)]
    random.Random(7).shuffle(blocks)
    yield from blocks


def _numbers(sizes: list[int], area_id: int) -> Iterator[tuple[object, ...]]:
    dice = random.Random(11)
    at, since, due = datetime(2026, 1, 5, 9, tzinfo=UTC), date(2026, 2, 1), date(2099, 12, 31)
    serial = 0
    for tenant, count in _blocks(sizes):
        for _ in range(count):
            serial += 1
            chance = dice.random()
            state = "active" if chance < 0.7 else "deactivation_scheduled" if chance < 0.75 else "inactive"
            e164 = f"+49999{serial:07}"
            yield (
                *(serial, tenant, e164, e164, "", area_id, state),
                due if state == "deactivation_scheduled" else None,
                since if state != "inactive" else None,
                *("voice" if chance > 0.1 else "fax_shared", dice.choice(LABELS), "", "standard", at),
            )


def fill(admin_url: str, database: str, total: int) -> list[int]:
    """Fill a migrated database; return the tenants' sizes."""
    sizes = scale(total)
    with psycopg.connect(make_conninfo(admin_url, dbname=database), autocommit=True) as db:
        db.execute("SET session_replication_role = replica; SET maintenance_work_mem = '512MB'")
        row = db.execute("SELECT id FROM numbers_localarea WHERE area_code = '999'").fetchone()
        assert row
        with db.cursor().copy("COPY portal_tenant (id, name, slug, customer_number, created_at) FROM STDIN") as copy:
            for n in range(1, len(sizes) + 1):
                copy.write_row((n, f"Mandant {n}", f"mandant-{n}", f"K-{n:05}", datetime(2026, 1, 1, tzinfo=UTC)))
        drop, create = _indexes(db)
        db.execute(drop)
        with db.cursor().copy(f"COPY numbers_phonenumber ({NUMBER_COLUMNS}) FROM STDIN") as copy:
            for number in _numbers(sizes, row[0]):
                copy.write_row(number)
        db.execute(
            "INSERT INTO numbers_numbersearch (tenant_id, number_id, text)"
            " SELECT tenant_id, id, substr(e164, 2) || ' 0'"
            " || substr(e164, 4) || ' lasttest ' || lower(label) FROM numbers_phonenumber;"
            "INSERT INTO billing_slot (tenant_id, label, price_class, from_on, until_on) SELECT tenant_id, e164,"
            " price_class, active_since, last_active_on + 1 FROM numbers_phonenumber WHERE state <> 'inactive';"
            "INSERT INTO billing_price (price_class, valid_from, monthly, order_fee, vat_rate)"
            " VALUES ('standard', '2020-01-01', 2.90, 4.90, 19.0), ('premium', '2020-01-01', 4.90, 4.90, 19.0)"
        )
        db.execute(create)
        for table in ("numbers_phonenumber", "portal_tenant", "billing_slot", "billing_price"):
            db.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
        db.execute("VACUUM (ANALYZE)")
        db.execute("CHECKPOINT")
    return sizes


def _indexes(db: psycopg.Connection) -> tuple[str, str]:
    """Return statements that drop the big tables' plain indexes and that make them again: COPY is far faster so."""
    rows = db.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i WHERE indrelid IN"
        " ('numbers_phonenumber'::regclass, 'numbers_numbersearch'::regclass, 'billing_slot'::regclass)"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)"
    ).fetchall()
    return ";".join(f"DROP INDEX {name}" for name, _ in rows), ";".join(text for _, text in rows)
