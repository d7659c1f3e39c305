from django.db import migrations

from portal import rls

# Substring search is the one thing row-level security makes slow (ILIKE may not look at rows before the policy has), so
# this function searches past it for the announced tenant alone and gives ids only.
SEARCH = r"""
CREATE INDEX number_search_trigram ON numbers_numbersearch USING gin (text gin_trgm_ops);
CREATE FUNCTION search_numbers(terms text[], most integer) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    conditions text;
BEGIN
    SELECT string_agg(
        format('text LIKE %L', '%' || replace(replace(replace(term, '\', '\\'), '%', '\%'), '_', '\_') || '%'), ' AND ')
    INTO conditions FROM unnest(terms) AS term;
    RETURN QUERY EXECUTE format(
        'SELECT number_id FROM public.numbers_numbersearch WHERE tenant_id = %s AND %s LIMIT %s',
        app_tenant(), coalesce(conditions, 'true'), most);
END $$;
REVOKE EXECUTE ON FUNCTION search_numbers(text[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_numbers(text[], integer) TO portal_app;
"""
UNDO = "DROP FUNCTION search_numbers(text[], integer); DROP INDEX number_search_trigram"


class Migration(migrations.Migration):
    dependencies = [("numbers", "0001_initial"), ("portal", "0002_walls")]

    operations = [
        rls.OperatorOwned("LocalArea"),
        rls.EnableTenancy("PhoneNumber"),
        rls.EnableTenancy("NumberSearch"),
        rls.TenantForeignKey("NumberSearch", "number"),
        rls.EnableTenancy("Forwarding"),
        rls.TenantForeignKey("Forwarding", "number"),
        rls.EnableTenancy("BulkRun"),
        rls.EnableTenancy("BulkItem"),
        rls.TenantForeignKey("BulkItem", "run"),
        rls.TenantForeignKey("BulkItem", "number"),
        migrations.RunSQL(SEARCH, UNDO),
    ]
