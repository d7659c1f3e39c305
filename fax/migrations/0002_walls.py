from django.db import migrations

from portal import rls

# A printer signs in before a tenant is known; its user name answers the tenant and no more.
LOOK_UP = """
CREATE FUNCTION fax_credential_tenant(name text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT tenant_id FROM public.fax_faxcredential WHERE username = name
$$;
CREATE FUNCTION fax_mail_tenant(hash text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT tenant_id FROM public.fax_faxmail WHERE token_hash = hash AND hash <> ''
$$;
REVOKE EXECUTE ON FUNCTION fax_credential_tenant(text), fax_mail_tenant(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fax_credential_tenant(text), fax_mail_tenant(text) TO portal_app;
"""
UNDO = "DROP FUNCTION fax_credential_tenant(text), fax_mail_tenant(text)"


class Migration(migrations.Migration):
    dependencies = [("fax", "0001_initial"), ("numbers", "0002_walls"), ("staff", "0002_walls")]

    operations = [
        rls.EnableTenancy("FaxCredential"),
        rls.TenantForeignKey("FaxCredential", "number"),
        rls.TenantForeignKey("FaxCredential", "staff_member"),
        rls.EnableTenancy("FaxMail"),
        rls.TenantForeignKey("FaxMail", "credential"),
        rls.EnableTenancy("FaxSettings"),
        migrations.RunSQL(LOOK_UP, UNDO),
    ]
