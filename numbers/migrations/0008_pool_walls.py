from django.db import migrations

from portal import rls

# Customers reach the pool through these functions alone. They act for the announced tenant, answer numbers that nobody
# has a claim to and the tenant's own reservations, and tell nothing of other tenants.
_DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"

# Rows are locked in the order of their numbers, blocks after numbers: nobody waits for one another in a ring.
RECOUNT = """
CREATE FUNCTION pool_recount(counted bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM public.numbers_poolblock WHERE id = ANY(counted) ORDER BY id FOR NO KEY UPDATE;
    UPDATE public.numbers_poolblock AS block SET given = now.given, longest_run = now.longest
    FROM (
        SELECT block_id, coalesce(sum(size) FILTER (WHERE taken), 0), coalesce(max(size) FILTER (WHERE NOT taken), 0)
        FROM (
            SELECT block_id, taken, island, count(*) AS size
            FROM (
                SELECT block_id, free_from IS NULL AS taken,
                       value - row_number() OVER (PARTITION BY block_id, free_from IS NULL ORDER BY value) AS island
                FROM public.numbers_poolnumber WHERE block_id = ANY(counted)
            ) AS numbered GROUP BY block_id, taken, island
        ) AS islands GROUP BY block_id
    ) AS now (block_id, given, longest)
    WHERE block.id = now.block_id;
END $$;
"""

# Gaps and islands: neighbours share the difference of value and place, so each island is a group. Blocks without a row
# long enough are not looked at, and the search ends with the last number asked for. The area and whole numbers as bounds
# lead each block straight to its stretch of the index.
SEARCH = f"""
CREATE FUNCTION pool_numbers(wanted_area bigint, pattern text, most integer, at timestamptz)
RETURNS TABLE (value bigint, price_class text) LANGUAGE sql STABLE {_DEFINER} AS $$
    SELECT n.value, n.price_class FROM public.numbers_poolnumber AS n
    WHERE n.area_id = wanted_area AND n.free_from <= at AND (pattern = '' OR n.value::text ~ pattern)
    ORDER BY n.value LIMIT most
$$;
CREATE FUNCTION pool_runs(wanted_area bigint, length integer, aligned boolean, most integer, at timestamptz)
RETURNS SETOF bigint LANGUAGE sql STABLE {_DEFINER} AS $$
    SELECT run.first
    FROM (SELECT id, first, (10 ^ extension_digits)::bigint AS size FROM public.numbers_poolblock
          WHERE area_id = wanted_area AND longest_run >= length ORDER BY first) AS block
    CROSS JOIN LATERAL (
        SELECT generate_series(
            CASE WHEN aligned THEN (min(value) + length - 1) / length * length ELSE min(value) END,
            max(value) - length + 1, length) AS first
        FROM (
            SELECT n.value, n.value - row_number() OVER (ORDER BY n.value) AS island
            FROM public.numbers_poolnumber AS n
            WHERE n.area_id = wanted_area AND n.value >= block.first AND n.value < block.first + block.size
                AND n.free_from <= at
        ) AS numbered GROUP BY island HAVING count(*) >= length ORDER BY 1
    ) AS run
    LIMIT most
$$;
"""

CLAIM = f"""
CREATE FUNCTION pool_reserve(
    wanted_area bigint, wanted bigint[], pattern text, most integer, basket uuid, at timestamptz, until timestamptz)
RETURNS SETOF bigint LANGUAGE plpgsql {_DEFINER} AS $$
DECLARE
    kept integer;
BEGIN
    SELECT count(*) INTO kept FROM public.numbers_poolnumber AS n
    WHERE n.reserved_by = app_tenant() AND n.reservation <> basket AND n.free_from > at;
    RETURN QUERY
    UPDATE public.numbers_poolnumber AS n SET free_from = until, reservation = basket, reserved_by = app_tenant()
    WHERE n.value = ANY (ARRAY(
        SELECT f.value FROM public.numbers_poolnumber AS f
        WHERE f.area_id = wanted_area AND f.free_from <= at AND (wanted IS NULL OR f.value = ANY (wanted))
            AND (pattern = '' OR f.value::text ~ pattern)
            AND NOT EXISTS (SELECT 1 FROM public.numbers_phonenumber AS held WHERE held.e164 = '+' || f.value::text
                            AND held.state NOT IN ('returned', 'ported_out'))
        ORDER BY f.value LIMIT least(most, greatest(0, 1000 - kept)) FOR NO KEY UPDATE SKIP LOCKED))
    RETURNING n.value;
END $$;
CREATE FUNCTION pool_basket(basket uuid)
RETURNS TABLE (value bigint, area_id bigint, price_class text, reserved_until timestamptz)
LANGUAGE sql STABLE {_DEFINER} AS $$
    SELECT n.value, n.area_id, n.price_class, n.free_from FROM public.numbers_poolnumber AS n
    WHERE n.reserved_by = app_tenant() AND n.reservation = basket ORDER BY n.value
$$;
CREATE FUNCTION pool_keep(basket uuid, renamed uuid, until timestamptz) RETURNS void LANGUAGE plpgsql {_DEFINER} AS $$
BEGIN
    PERFORM 1 FROM public.numbers_poolnumber AS n
    WHERE n.reserved_by = app_tenant() AND n.reservation = basket ORDER BY n.value FOR NO KEY UPDATE;
    UPDATE public.numbers_poolnumber AS n SET free_from = until, reservation = renamed
    WHERE n.reserved_by = app_tenant() AND n.reservation = basket;
END $$;
CREATE FUNCTION pool_claim(basket uuid) RETURNS SETOF bigint LANGUAGE plpgsql {_DEFINER} AS $$
DECLARE
    claimed bigint[];
    blocks bigint[];
BEGIN
    PERFORM 1 FROM public.numbers_poolnumber AS n
    WHERE n.reserved_by = app_tenant() AND n.reservation = basket ORDER BY n.value FOR NO KEY UPDATE;
    WITH given AS (
        UPDATE public.numbers_poolnumber AS n SET free_from = NULL, reservation = NULL, reserved_by = NULL
        WHERE n.reserved_by = app_tenant() AND n.reservation = basket
            AND NOT EXISTS (SELECT 1 FROM public.numbers_phonenumber AS held WHERE held.e164 = '+' || n.value::text
                            AND held.state NOT IN ('returned', 'ported_out'))
        RETURNING n.value, n.block_id
    )
    SELECT array_agg(given.value), array_agg(DISTINCT given.block_id) INTO claimed, blocks FROM given;
    PERFORM public.pool_recount(blocks);
    RETURN QUERY SELECT unnest(claimed);
END $$;
CREATE FUNCTION pool_given(held text[]) RETURNS void LANGUAGE plpgsql {_DEFINER} AS $$
DECLARE
    values_ bigint[] := ARRAY(
        SELECT substr(number.e164, 2)::bigint FROM public.numbers_phonenumber AS number
        WHERE number.tenant_id = app_tenant() AND number.e164 = ANY (held)
            AND number.state NOT IN ('returned', 'ported_out'));
    blocks bigint[];
BEGIN
    PERFORM 1 FROM public.numbers_poolnumber AS n
    WHERE n.value = ANY (values_) AND n.free_from IS NOT NULL ORDER BY n.value FOR NO KEY UPDATE;
    WITH given AS (
        UPDATE public.numbers_poolnumber AS n SET free_from = NULL, reservation = NULL, reserved_by = NULL
        WHERE n.value = ANY (values_) AND n.free_from IS NOT NULL RETURNING n.block_id
    )
    SELECT array_agg(DISTINCT given.block_id) INTO blocks FROM given;
    PERFORM public.pool_recount(blocks) WHERE blocks IS NOT NULL;
END $$;
CREATE FUNCTION pool_rest(returned text[], until timestamptz) RETURNS void LANGUAGE plpgsql {_DEFINER} AS $$
DECLARE
    values_ bigint[] := ARRAY(
        SELECT substr(number.e164, 2)::bigint FROM public.numbers_phonenumber AS number
        WHERE number.tenant_id = app_tenant() AND number.e164 = ANY (returned) AND number.state = 'returned');
    blocks bigint[];
BEGIN
    PERFORM 1 FROM public.numbers_poolnumber AS n
    WHERE n.value = ANY (values_) AND n.free_from IS NULL ORDER BY n.value FOR NO KEY UPDATE;
    WITH resting AS (
        UPDATE public.numbers_poolnumber AS n SET free_from = until
        WHERE n.value = ANY (values_) AND n.free_from IS NULL
            AND NOT EXISTS (SELECT 1 FROM public.numbers_phonenumber AS held WHERE held.e164 = '+' || n.value::text
                            AND held.state NOT IN ('returned', 'ported_out'))
        RETURNING n.block_id
    )
    SELECT array_agg(DISTINCT resting.block_id) INTO blocks FROM resting;
    PERFORM public.pool_recount(blocks) WHERE blocks IS NOT NULL;
END $$;
"""

_FUNCTIONS = (
    "pool_numbers(bigint, text, integer, timestamptz)",
    "pool_runs(bigint, integer, boolean, integer, timestamptz)",
    "pool_reserve(bigint, bigint[], text, integer, uuid, timestamptz, timestamptz)",
    "pool_basket(uuid)",
    "pool_keep(uuid, uuid, timestamptz)",
    "pool_claim(uuid)",
    "pool_given(text[])",
    "pool_rest(text[], timestamptz)",
)
_NAMED = ", ".join(_FUNCTIONS)
RIGHTS = (
    f"REVOKE EXECUTE ON FUNCTION pool_recount(bigint[]), {_NAMED} FROM PUBLIC;"
    f"GRANT EXECUTE ON FUNCTION {_NAMED} TO portal_app;"
    "GRANT EXECUTE ON FUNCTION pool_recount(bigint[]) TO portal_ops;"
)
UNDO = f"DROP FUNCTION {_NAMED}, pool_recount(bigint[])"

# Numbers that came with a base number are blocks from now on.
BLOCKS = """
INSERT INTO numbers_numberblock (tenant_id, base_number, extension_digits, area_id, created_at)
SELECT tenant_id, base_number, max(length(extension_digits)), min(area_id), min(allocated_at)
FROM numbers_phonenumber WHERE extension_digits <> '' AND state NOT IN ('returned', 'ported_out')
GROUP BY tenant_id, base_number
"""


class Migration(migrations.Migration):
    dependencies = [("numbers", "0007_pool")]

    operations = [
        rls.OperatorOwned("PoolArea", hidden=True),
        rls.OperatorOwned("PoolBlock", hidden=True),
        rls.OperatorOwned("PoolNumber", hidden=True),
        rls.EnableTenancy("NumberBlock"),
        migrations.RunSQL(RECOUNT + SEARCH + CLAIM + RIGHTS, UNDO),
        migrations.RunSQL(BLOCKS, migrations.RunSQL.noop),
    ]
