from django.db import migrations

from portal import rls


class Migration(migrations.Migration):
    dependencies = [("numbers", "0011_order")]

    operations = [rls.EnableTenancy("NumberOrder")]
