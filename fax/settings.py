"""What a tenant decided about its fax access (rule F3)."""

from datetime import datetime

from fax.models import FaxSettings
from portal import audit
from portal.models import User
from portal.tenancy import current


def of_tenant() -> FaxSettings:
    """Return the announced tenant's settings: one query; the defaults, unsaved, while nobody changed any."""
    return FaxSettings.objects.first() or FaxSettings(tenant_id=current())


def change(*, plain_mail: bool, by: User, at: datetime) -> bool:
    """Decide whether mails hold the password itself; return whether that is another decision."""
    FaxSettings.objects.bulk_create([FaxSettings(tenant_id=current(), changed_at=at)], ignore_conflicts=True)
    row = FaxSettings.objects.select_for_update().get()
    if row.plain_mail == plain_mail:
        return False
    entry = audit.Entry("fax_settings", row.pk, "", {"plain_mail": row.plain_mail}, {"plain_mail": plain_mail})
    row.plain_mail, row.changed_at = plain_mail, at
    row.save(update_fields=["plain_mail", "changed_at"])
    audit.record("fax.settings_changed", [entry], by=by, at=at, tenant_id=row.tenant_id)
    return True
