from django.db import migrations

from portal import partitions, rls

# A month may go once it is over for every tenant that still has a call in it, and nobody disputes it. Three months
# after the invoice is the rule where a tenant said nothing (rule T4); months count as invoiced when they end.
MAY_DROP = """
NOT EXISTS (
    SELECT FROM public.portal_tenant AS t LEFT JOIN public.numbers_callretention AS r ON r.tenant_id = t.id
    WHERE EXISTS (SELECT FROM public.%1$I AS c WHERE c.tenant_id = t.id)
    AND (
        %2$L::date + make_interval(months => 1 + coalesce(r.months, 3)) > (now() AT TIME ZONE 'Europe/Berlin')::date
        OR EXISTS (SELECT FROM public.numbers_dispute AS d
                   WHERE d.tenant_id = t.id AND d.month = %2$L::date AND d.closed_at IS NULL)
    )
)
"""
FUNCTIONS = partitions.functions(
    "numbers_callrecord", create="create_call_month", drop="drop_call_month", may_drop=MAY_DROP
)


class Migration(migrations.Migration):
    dependencies = [("numbers", "0009_calls"), ("staff", "0002_walls")]

    operations = [
        rls.OperatorOwned("Helpline"),
        rls.OperatorOwned("IntakeLine", hidden=True),
        rls.EnableTenancy("CallRecord"),
        rls.TenantForeignKey("CallRecord", "number"),
        rls.TenantForeignKey("CallRecord", "holder"),
        rls.EnableTenancy("CallKey"),
        rls.EnableTenancy("UsageTotal"),
        rls.TenantForeignKey("UsageTotal", "number"),
        rls.EnableTenancy("Purge"),
        rls.TenantForeignKey("Purge", "number"),
        rls.TenantForeignKey("Purge", "staff_member"),
        rls.AppendOnly("Purge"),
        rls.EnableTenancy("CallRetention"),
        rls.EnableTenancy("Dispute"),
        rls.TenantForeignKey("Dispute", "number"),
        rls.EnableTenancy("ItemisationOrder"),
        rls.EnableTenancy("RetentionProof"),
        rls.EnableTenancy("ErasureDecision"),
        rls.TenantForeignKey("ErasureDecision", "staff_member"),
        rls.AppendOnly("ErasureDecision"),
        migrations.RunSQL(FUNCTIONS, "DROP FUNCTION create_call_month(date), drop_call_month(date)"),
    ]
