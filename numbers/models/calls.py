"""Traffic data: who called whom, kept for a short time only (rules T1–T5)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.models import User
from portal.tenancy import TenantModel


class Direction(models.TextChoices):
    OUT = "out", _("outgoing")
    IN = "in", _("incoming")


class CallResult(models.TextChoices):
    ANSWERED = "answered", _("answered")
    BUSY = "busy", _("busy")
    UNANSWERED = "unanswered", _("no answer")
    FAILED = "failed", _("failed")


class CallRecord(TenantModel):
    """One call of a number: with whom (`peer`, empty = anonymous), when, how long, at what rated net cost.

    `holder` is the staff member who held the number when the call began, found at intake from the assignments; None
    where nobody or several did. `cost_micro` is in micro-euro. Stored in one partition per Berlin month, named after
    it; rights are on the parent alone, and the database's own key is (id, started_at).
    """

    number = models.ForeignKey(
        "numbers.PhoneNumber", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    holder = models.ForeignKey(
        "staff.StaffMember", on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    direction = models.CharField(_("Direction"), max_length=3, choices=Direction)
    peer = models.CharField(_("Other number"), max_length=20, blank=True)
    reverse_charged = models.BooleanField(_("Called party pays"), default=False)
    started_at = models.DateTimeField(_("Start"))
    ring_seconds = models.PositiveIntegerField(default=0)
    talk_seconds = models.PositiveIntegerField(_("Duration"), default=0)
    result = models.CharField(_("Result"), max_length=10, choices=CallResult)
    cost_micro = models.BigIntegerField(_("Net cost"), default=0)

    class Meta(TenantModel.Meta):
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        constraints = (
            models.CheckConstraint(condition=Q(direction__in=Direction.values), name="call_direction_known"),
            models.CheckConstraint(condition=Q(result__in=CallResult.values), name="call_result_known"),
        )
        indexes = (
            models.Index(fields=["tenant", "number", "-started_at", "-id"], name="call_of_number"),
            models.Index(
                fields=["tenant", "holder", "-started_at", "-id"],
                condition=Q(holder__isnull=False),
                name="call_of_holder",
            ),
            models.Index(fields=["tenant", "-started_at", "-id"], name="call_of_tenant"),
        )

    def __str__(self) -> str:
        return f"{self.number_id} {self.direction} {self.started_at:%Y-%m-%d %H:%M}"


class CallKey(TenantModel):
    """That a call came in already: a digest of its source and the source's own id, unique over all months.

    Narrow and apart, because a unique key of a partitioned table would have to hold the month. It stays when a call is
    purged, so that a repeated import cannot bring the call back, and goes with the month's retention.
    """

    key = models.UUIDField()
    month = models.DateField()

    class Meta(TenantModel.Meta):
        constraints = (models.UniqueConstraint(fields=["tenant", "key"], name="call_once"),)
        indexes = (models.Index(fields=["tenant", "month"], name="call_key_month"),)

    def __str__(self) -> str:
        return str(self.key)


class UsageTotal(TenantModel):
    """What calls of a number came to in a month whose records were deleted before they were billed (rule T2)."""

    number = models.ForeignKey(
        "numbers.PhoneNumber", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    month = models.DateField()
    calls = models.PositiveIntegerField()
    talk_seconds = models.BigIntegerField()
    cost_micro = models.BigIntegerField()

    class Meta(TenantModel.Meta):
        constraints = (models.UniqueConstraint(fields=["tenant", "number", "month"], name="usage_total_once"),)

    def __str__(self) -> str:
        return f"{self.number_id} {self.month}"


class Purge(TenantModel):
    """That the calls of a number in a person's interval were deleted, and who accepted which notice when (rule T1).

    Append-only; holds count and period, no called numbers. A call that comes in later for the interval is only
    totalled.
    """

    number = models.ForeignKey(
        "numbers.PhoneNumber", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    staff_member = models.ForeignKey(
        "staff.StaffMember", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    count = models.PositiveIntegerField()
    notice = models.CharField(max_length=20)
    by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+")
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes = (models.Index(fields=["tenant", "number", "from_at"], name="purge_of_number"),)

    def __str__(self) -> str:
        return f"{self.number_id} {self.from_at:%Y-%m-%d}"
