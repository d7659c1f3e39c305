from django.db import migrations

# The last word on rule A6, whatever the code above does: under the lock of the tenant, an administrator is taken away
# only while another one is left who may sign in.
KEEP = """
CREATE FUNCTION keep_an_administrator() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('membership', OLD.tenant_id));
    IF NOT EXISTS (
        SELECT FROM portal_membership m JOIN portal_user u ON u.id = m.user_id
        WHERE m.tenant_id = OLD.tenant_id AND m.role = 'administrator' AND u.is_active
    ) AND EXISTS (SELECT FROM portal_tenant t WHERE t.id = OLD.tenant_id) THEN
        RAISE EXCEPTION 'the last administrator of a tenant stays'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_last_administrator';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_an_administrator_deleted AFTER DELETE ON portal_membership
    FOR EACH ROW WHEN (OLD.role = 'administrator') EXECUTE FUNCTION keep_an_administrator();
CREATE TRIGGER keep_an_administrator_changed AFTER UPDATE ON portal_membership
    FOR EACH ROW WHEN (OLD.role = 'administrator' AND NEW.role <> 'administrator')
    EXECUTE FUNCTION keep_an_administrator();
GRANT EXECUTE ON FUNCTION keep_an_administrator() TO portal_app, portal_ops;
"""
UNDO = """
DROP TRIGGER keep_an_administrator_deleted ON portal_membership;
DROP TRIGGER keep_an_administrator_changed ON portal_membership;
DROP FUNCTION keep_an_administrator();
"""


class Migration(migrations.Migration):
    dependencies = [("portal", "0002_walls")]

    operations = [migrations.RunSQL(KEEP, UNDO)]
