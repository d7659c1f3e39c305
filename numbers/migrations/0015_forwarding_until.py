import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("numbers", "0014_bulk_item_once")]

    operations = [
        migrations.AlterField(
            model_name="forwarding",
            name="number",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="numbers.phonenumber",
            ),
        ),
        migrations.AddField(
            model_name="forwarding",
            name="until_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="Until"),
        ),
        migrations.AddIndex(
            model_name="forwarding",
            index=models.Index(
                condition=models.Q(("until_at__isnull", False)), fields=["until_at", "id"], name="forwarding_ends"
            ),
        ),
    ]
