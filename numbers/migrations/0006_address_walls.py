from django.db import migrations

from portal import rls

# What was proven stays as it was: a move is a new address (rule V3).
IMMUTABLE = """
CREATE FUNCTION refuse_verified_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.verified_at IS NOT NULL
        AND (OLD.company, OLD.extra, OLD.street, OLD.house_number, OLD.postcode, OLD.town, OLD.area_id, OLD.verified_at)
            IS DISTINCT FROM
            (NEW.company, NEW.extra, NEW.street, NEW.house_number, NEW.postcode, NEW.town, NEW.area_id, NEW.verified_at)
    THEN
        RAISE EXCEPTION 'a verified address cannot be edited' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER verified_stays BEFORE UPDATE ON numbers_address
    FOR EACH ROW EXECUTE FUNCTION refuse_verified_change();
"""
UNDO = "DROP TRIGGER verified_stays ON numbers_address; DROP FUNCTION refuse_verified_change()"


class Migration(migrations.Migration):
    dependencies = [("numbers", "0005_address")]

    operations = [
        rls.EnableTenancy("Address"),
        rls.OperatorOwned("PrintBatch", hidden=True),
        rls.EnableTenancy("PinLetter"),
        rls.TenantForeignKey("PinLetter", "address"),
        rls.OperatorOwned("PostalOrder", hidden=True),
        migrations.RunSQL(IMMUTABLE, UNDO),
    ]
