from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("numbers", "0013_bulk_assign")]

    operations = [
        migrations.RemoveConstraint(model_name="bulkitem", name="bulk_item_once"),
        migrations.AddConstraint(
            model_name="bulkitem",
            constraint=models.UniqueConstraint(
                fields=("tenant", "run", "number", "to"), name="bulk_item_once", nulls_distinct=False
            ),
        ),
    ]
