from django.db import migrations

from portal import rls


class Migration(migrations.Migration):
    dependencies = [("staff", "0001_initial"), ("portal", "0002_walls")]

    operations = [rls.EnableTenancy("StaffMember")]
