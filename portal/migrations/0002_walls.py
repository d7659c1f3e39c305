from django.db import migrations

from portal import rls

POLICIES = """
ALTER TABLE portal_tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE portal_tenant FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON portal_tenant FOR SELECT USING (
    id = app_tenant_or_null()
    OR EXISTS (SELECT 1 FROM portal_membership m WHERE m.tenant_id = portal_tenant.id AND m.user_id = app_user())
);
CREATE POLICY operator ON portal_tenant TO portal_ops USING (true) WITH CHECK (true);
REVOKE INSERT, UPDATE, DELETE ON portal_tenant FROM portal_app;

ALTER TABLE portal_membership ENABLE ROW LEVEL SECURITY;
ALTER TABLE portal_membership FORCE ROW LEVEL SECURITY;
CREATE POLICY own_membership ON portal_membership FOR SELECT
    USING (user_id = app_user() OR tenant_id = app_tenant_or_null());
CREATE POLICY own_tenant ON portal_membership USING (tenant_id = app_tenant_or_null()) WITH CHECK (tenant_id = app_tenant());
CREATE POLICY operator ON portal_membership TO portal_ops USING (true) WITH CHECK (true);

REVOKE UPDATE, DELETE ON portal_outboxmessage FROM portal_app;
"""
UNDO = """
DROP POLICY own_tenant ON portal_tenant; DROP POLICY operator ON portal_tenant;
ALTER TABLE portal_tenant NO FORCE ROW LEVEL SECURITY; ALTER TABLE portal_tenant DISABLE ROW LEVEL SECURITY;
DROP POLICY own_membership ON portal_membership; DROP POLICY own_tenant ON portal_membership;
DROP POLICY operator ON portal_membership;
ALTER TABLE portal_membership NO FORCE ROW LEVEL SECURITY; ALTER TABLE portal_membership DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_initial")]

    operations = [
        migrations.RunSQL(rls.FUNCTIONS, rls.DROP_FUNCTIONS),
        migrations.RunSQL(POLICIES, UNDO),
        rls.EnableTenancy("AuditEvent", tenant_optional=True),
        rls.AppendOnly("AuditEvent"),
        rls.EnableTenancy("OutboxMessage", tenant_optional=True),
        rls.EnableTenancy("Submission"),
        rls.OperatorOwned("JobRun", hidden=True),
    ]
