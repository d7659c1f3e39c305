from django.db import migrations

# Who holds and who will hold these numbers of a tenant (rules A1 and A8). A function, because PostgreSQL keeps its plan:
# planning the joins behind the policies takes ten times as long as answering for one number. It has the rights of
# whoever calls it, so the policies hold.
HOLDERS = """
CREATE FUNCTION number_holders(of_tenant bigint, numbers bigint[], at timestamptz, today date) RETURNS TABLE (
    number bigint, member bigint, member_name varchar, since timestamptz, until timestamptz
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT a.number_id, a.staff_member_id, m.name, a.from_at, a.until_at FROM numbers_assignment AS a
    JOIN staff_staffmember AS m ON m.tenant_id = a.tenant_id AND m.id = a.staff_member_id
    JOIN numbers_phonenumber AS n ON n.tenant_id = a.tenant_id AND n.id = a.number_id
    WHERE a.tenant_id = of_tenant AND a.number_id = ANY(numbers) AND (a.until_at IS NULL OR a.until_at > at)
    AND (n.last_active_on IS NULL OR n.last_active_on >= today) ORDER BY a.from_at, m.sort_key, a.id;
END $$;
REVOKE EXECUTE ON FUNCTION number_holders(bigint, bigint[], timestamptz, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION number_holders(bigint, bigint[], timestamptz, date) TO portal_app, portal_ops;
"""
UNDO = "DROP FUNCTION number_holders(bigint, bigint[], timestamptz, date)"


class Migration(migrations.Migration):
    dependencies = [("numbers", "0018_port_document_printed"), ("staff", "0004_invitation_walls")]

    operations = [migrations.RunSQL(HOLDERS, UNDO)]
