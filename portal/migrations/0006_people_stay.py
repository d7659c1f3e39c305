from django.db import migrations

# People are never deleted: erasure empties their data and keeps the row, for the trace points at it (ADR 2).
STAY = "REVOKE DELETE ON portal_user FROM portal_app, portal_ops"
UNDO = "GRANT DELETE ON portal_user TO portal_app, portal_ops"


class Migration(migrations.Migration):
    dependencies = [("portal", "0005_visitor")]

    operations = [migrations.RunSQL(STAY, UNDO)]
