from django.db import migrations

from portal import rls


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_one_off_charge")]

    operations = [rls.EnableTenancy("OneOffCharge"), rls.AppendOnly("OneOffCharge")]
