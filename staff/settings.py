"""What a tenant lets its staff do, and whether they are told (rules A5, T5)."""

from datetime import datetime

from portal import audit
from portal.models import User
from portal.tenancy import current
from staff.models import StaffSettings

NAMES = ("mails_on_assignment", "edits_forwarding", "sees_own_calls")


def of_tenant() -> StaffSettings:
    """Return the announced tenant's settings: one query; the defaults, unsaved, while nobody changed any."""
    return StaffSettings.objects.first() or StaffSettings(tenant_id=current())


def change(values: dict[str, bool], *, by: User | str, at: datetime) -> bool:
    """Set the settings named (of NAMES); return whether any of them is another one."""
    StaffSettings.objects.bulk_create([StaffSettings(tenant_id=current(), changed_at=at)], ignore_conflicts=True)
    row = StaffSettings.objects.select_for_update().get()
    before = {name: getattr(row, name) for name in NAMES}
    changed = {name: value for name, value in values.items() if before[name] != value}
    if not changed:
        return False
    for name, value in changed.items():
        setattr(row, name, value)
    row.changed_at = at
    row.save(update_fields=[*changed, "changed_at"])
    entry = audit.Entry("staff_settings", row.pk, "", {name: before[name] for name in changed}, changed, row.tenant_id)
    audit.record("staff.settings_changed", [entry], by=by, at=at)
    return True
