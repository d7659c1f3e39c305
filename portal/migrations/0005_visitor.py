from django.db import migrations

# Who a session says it is of, with the memberships and their tenants: every page asks it first. A function, because
# PostgreSQL keeps its plans: planning the join behind the policies takes four times as long as answering it. It has the
# rights of whoever calls it, so the policies hold; a person who has no membership comes in one row.
VISITOR = """
CREATE FUNCTION portal_visitor(visitor bigint) RETURNS TABLE (
    person bigint, password varchar, last_login timestamptz, email varchar, person_name varchar, language varchar,
    theme varchar, preferences json, is_operator boolean, is_active boolean, joined_at timestamptz,
    membership bigint, member bigint, member_of bigint, role varchar, since timestamptz,
    tenant bigint, tenant_name varchar, slug varchar, customer_number varchar, tenant_since timestamptz
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT u.id, u.password, u.last_login, u.email, u.name, u.language, u.theme, u.preferences::json,
        u.is_operator, u.is_active, u.joined_at,
        m.id, m.user_id, m.tenant_id, m.role, m.created_at, t.id, t.name, t.slug, t.customer_number, t.created_at
    FROM portal_user u LEFT JOIN (portal_membership m JOIN portal_tenant t ON t.id = m.tenant_id) ON m.user_id = u.id
    WHERE u.id = visitor ORDER BY t.name, m.id;
END $$;
REVOKE EXECUTE ON FUNCTION portal_visitor(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal_visitor(bigint) TO portal_app, portal_ops;
"""


class Migration(migrations.Migration):
    dependencies = [("portal", "0004_events_without_checks")]

    operations = [migrations.RunSQL(VISITOR, "DROP FUNCTION portal_visitor(bigint)")]
