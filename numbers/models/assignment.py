"""Who holds a number, and from when to when."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from portal.tenancy import TenantModel

DURING = Func("from_at", "until_at", function="TSTZRANGE")  # half-open, as PostgreSQL's ranges are


class Assignment(TenantModel):
    """A number is with a staff member from `from_at` until `until_at` (half-open instants; NULL = still). Rule A1.

    An interval that begins in the future is a dated hand-over: until then the present holder's, which ends where it
    begins, goes on. `shared` (a shared fax) allows several holders at once; otherwise the database refuses overlaps.
    `settled_at` is when what comes with the beginning (mail, forwardings) was done; NULL while that is still ahead.
    """

    number = models.ForeignKey(
        "numbers.PhoneNumber", on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="assignments"
    )
    staff_member = models.ForeignKey(
        "staff.StaffMember", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="assignments"
    )
    from_at = models.DateTimeField(_("From"))
    until_at = models.DateTimeField(_("Until"), null=True, blank=True)
    shared = models.BooleanField(default=False)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "id"], name="assignment_tenant_id"),
            models.CheckConstraint(
                condition=Q(until_at__isnull=True) | Q(until_at__gt=F("from_at")), name="assignment_until_after_from"
            ),
            ExclusionConstraint(
                name="assignment_one_holder",
                expressions=[
                    ("tenant", RangeOperators.EQUAL),
                    ("number", RangeOperators.EQUAL),
                    (DURING, RangeOperators.OVERLAPS),
                ],
                condition=Q(shared=False),
            ),
            ExclusionConstraint(
                name="assignment_once_per_person",
                expressions=[
                    ("tenant", RangeOperators.EQUAL),
                    ("number", RangeOperators.EQUAL),
                    ("staff_member", RangeOperators.EQUAL),
                    (DURING, RangeOperators.OVERLAPS),
                ],
            ),
        )
        indexes = (
            models.Index(fields=["tenant", "number", "from_at"], name="assignment_of_number"),
            models.Index(fields=["tenant", "staff_member", "from_at"], name="assignment_of_person"),
            models.Index(fields=["from_at", "id"], condition=Q(settled_at__isnull=True), name="assignment_ahead"),
        )

    def __str__(self) -> str:
        return f"{self.number_id} → {self.staff_member_id}"
