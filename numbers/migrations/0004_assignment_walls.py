from django.db import migrations

from portal import rls


class Migration(migrations.Migration):
    dependencies = [("numbers", "0003_assignment"), ("staff", "0002_walls")]

    operations = [
        rls.EnableTenancy("Assignment"),
        rls.TenantForeignKey("Assignment", "number"),
        rls.TenantForeignKey("Assignment", "staff_member"),
    ]
