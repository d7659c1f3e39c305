from django.db import migrations

from portal import rls


class Migration(migrations.Migration):
    dependencies = [("fax", "0003_fax_job")]

    operations = [
        rls.EnableTenancy("FaxJob"),
        rls.TenantForeignKey("FaxJob", "number"),
        rls.TenantForeignKey("FaxJob", "staff_member"),
        rls.EnableTenancy("FaxAttempt"),
        rls.TenantForeignKey("FaxAttempt", "job"),
    ]
