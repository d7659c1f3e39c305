"""One operation over many numbers, with a result per number (rule G3)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.tenancy import TenantModel


class BulkRun(TenantModel):
    """A bulk operation somebody confirmed. Up to 100 numbers it is done at once, beyond that by the worker."""

    class Verb(models.TextChoices):
        ACTIVATE = "activate", _("Activate")
        DEACTIVATE = "deactivate", _("Deactivate")
        WITHDRAW = "withdraw", _("Withdraw")
        ASSIGN = "assign", _("Assign")

    verb = models.CharField(_("Action"), max_length=10, choices=Verb)
    by = models.ForeignKey("portal.User", on_delete=models.PROTECT, db_index=False, related_name="+")
    parameters = models.JSONField(default=dict)  # what was shown and confirmed: price or date
    total = models.PositiveIntegerField(default=0)
    handled = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = (models.UniqueConstraint(fields=["tenant", "id"], name="bulk_run_tenant_id"),)
        indexes = (
            models.Index(fields=["tenant", "-id"], name="bulk_run_latest"),
            models.Index(fields=["id"], condition=Q(finished_at=None), name="bulk_run_open"),
        )

    def __str__(self) -> str:
        return f"{self.verb} × {self.total}"


class BulkItem(TenantModel):
    """One number of a bulk run; `outcome` is empty until it was handled, `to` who gets it if it is assigned."""

    run = models.ForeignKey(
        BulkRun, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="items"
    )
    number = models.ForeignKey(
        "numbers.PhoneNumber", on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    to = models.ForeignKey(
        "staff.StaffMember", on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    outcome = models.CharField(max_length=9, blank=True)
    reason = models.CharField(max_length=40, blank=True)

    class Meta(TenantModel.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "run", "number", "to"], nulls_distinct=False, name="bulk_item_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.run_id}: {self.number_id} {self.outcome}"
