from django.db import migrations

from portal import rls

# An invitation is found before a tenant is known, by the hash of a random token; it answers the tenant and no more.
LOOK_UP = """
CREATE FUNCTION invitation_tenant(hash text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT tenant_id FROM public.staff_invitation WHERE token_hash = hash
$$;
REVOKE EXECUTE ON FUNCTION invitation_tenant(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION invitation_tenant(text) TO portal_app;
"""
UNDO = "DROP FUNCTION invitation_tenant(text)"

# Whoever signs in already is on the list of staff from the beginning; later ones are put there by `members.enrol`.
ENROL = """
INSERT INTO staff_staffmember (tenant_id, name, sort_key, email, extension, department, language, user_id, role_kept,
                               state, created_at)
SELECT m.tenant_id, u.name, lower(replace(translate(u.name, 'äöüÄÖÜ', 'aouaou'), 'ß', 'ss')), u.email, '', '',
       u.language, u.id, '', 'active', m.created_at
FROM portal_membership m JOIN portal_user u ON u.id = m.user_id
WHERE NOT EXISTS (
    SELECT FROM staff_staffmember s
    WHERE s.tenant_id = m.tenant_id AND (s.user_id = u.id OR (s.email = u.email AND s.state <> 'left'))
)
"""


class Migration(migrations.Migration):
    dependencies = [("staff", "0003_invitations"), ("portal", "0003_last_administrator")]

    operations = [
        rls.EnableTenancy("Invitation"),
        rls.TenantForeignKey("Invitation", "member"),
        rls.EnableTenancy("StaffSettings"),
        migrations.RunSQL(LOOK_UP, UNDO),
        migrations.RunSQL(ENROL, migrations.RunSQL.noop),
    ]
