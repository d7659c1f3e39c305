from django.db import migrations

from portal import rls

# Whether a number can come is a question over all tenants; the answer says neither why not nor whose it is.
TAKEN = """
CREATE FUNCTION port_taken(wanted text[], own bigint) RETURNS SETOF text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT w.e164 FROM unnest(wanted) AS w (e164) WHERE app_tenant() IS NOT NULL AND (
        EXISTS (SELECT 1 FROM public.numbers_phonenumber AS held
                WHERE held.e164 = w.e164 AND held.state NOT IN ('returned', 'ported_out'))
        OR EXISTS (SELECT 1 FROM public.numbers_portnumber AS claimed WHERE claimed.e164 = w.e164 AND claimed.open
                   AND NOT (claimed.order_id = own AND claimed.tenant_id = app_tenant()))
        OR EXISTS (SELECT 1 FROM public.numbers_poolnumber AS pool
                   WHERE pool.value = substr(w.e164, 2)::bigint AND pool.free_from IS NOT NULL))
$$;
REVOKE EXECUTE ON FUNCTION port_taken(text[], bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION port_taken(text[], bigint) TO portal_app;
"""


class Migration(migrations.Migration):
    dependencies = [("numbers", "0016_porting")]

    operations = [
        rls.OperatorOwned("PortProvider"),
        rls.EnableTenancy("PortOrder"),
        rls.TenantForeignKey("PortOrder", "temporary"),
        rls.EnableTenancy("PortNumber"),
        rls.TenantForeignKey("PortNumber", "order"),
        rls.EnableTenancy("PortEvent"),
        rls.TenantForeignKey("PortEvent", "order"),
        rls.AppendOnly("PortEvent"),
        rls.EnableTenancy("PortDocument"),
        rls.TenantForeignKey("PortDocument", "order"),
        rls.AppendOnly("PortDocument"),
        rls.EnableTenancy("PortOut"),
        rls.TenantForeignKey("PortOut", "number"),
        migrations.RunSQL(TAKEN, "DROP FUNCTION port_taken(text[], bigint)"),
    ]
