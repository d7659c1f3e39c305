import django.db.models.deletion
from django.db import migrations, models

from portal import rls


class Migration(migrations.Migration):
    dependencies = [("numbers", "0012_order_walls"), ("staff", "0004_invitation_walls")]

    operations = [
        migrations.AddField(
            model_name="bulkitem",
            name="to",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="staff.staffmember",
            ),
        ),
        migrations.AlterField(
            model_name="bulkrun",
            name="verb",
            field=models.CharField(
                choices=[
                    ("activate", "Activate"),
                    ("deactivate", "Deactivate"),
                    ("withdraw", "Withdraw"),
                    ("assign", "Assign"),
                ],
                max_length=10,
                verbose_name="Action",
            ),
        ),
        rls.TenantForeignKey("BulkItem", "to"),
    ]
