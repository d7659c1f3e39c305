from django.db import migrations

from portal import rls


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial"), ("portal", "0002_walls")]

    operations = [
        rls.OperatorOwned("Price"),
        rls.EnableTenancy("Slot"),
        rls.EnableTenancy("SlotMove"),
        rls.TenantForeignKey("SlotMove", "slot"),
        rls.AppendOnly("SlotMove"),
    ]
