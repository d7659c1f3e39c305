"""What decides how long traffic data stays and who may see it: retention, disputes, orders, the proof."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.models import User
from portal.tenancy import TenantModel

USUAL_MONTHS, MOST_MONTHS = 3, 6  # after the invoice; rule T4


class CallRetention(TenantModel):
    """How many months after the invoice a tenant's calls are kept (rule T4); without a row it is three."""

    months = models.PositiveSmallIntegerField(
        _("Months after the invoice"),
        default=USUAL_MONTHS,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_MONTHS)],
    )
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = (
            models.UniqueConstraint(fields=["tenant"], name="call_retention_once"),
            models.CheckConstraint(condition=Q(months__gte=1, months__lte=MOST_MONTHS), name="call_retention_lawful"),
        )

    def __str__(self) -> str:
        return f"{self.months}"


class Dispute(TenantModel):
    """An objection to a month's bill, of one number or of all (`number` empty); while open it holds the calls (T4)."""

    number = models.ForeignKey(
        "numbers.PhoneNumber",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("phone number"),
    )
    month = models.DateField(_("Month"))
    reason = models.CharField(_("Reason"), max_length=200)
    opened_at = models.DateTimeField(_("Opened"))
    closed_at = models.DateTimeField(_("Closed"), null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        constraints = (
            models.UniqueConstraint(
                fields=["tenant", "month", "number"],
                condition=Q(closed_at__isnull=True),
                nulls_distinct=False,
                name="dispute_open_once",
            ),
            models.CheckConstraint(condition=Q(month__day=1), name="dispute_month_begins"),
        )
        indexes = (models.Index(fields=["tenant", "month"], name="dispute_of_month"),)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"

    def clean(self) -> None:
        if self.month:
            self.month = self.month.replace(day=1)  # whatever day of it somebody picked


class ItemisationOrder(TenantModel):
    """An order of the itemised bill together with the declaration it needs (rule T5).

    It counts for months that begin after `ordered_at`; a withdrawal stops it for the month it falls in and all later
    ones. `declaration` is the version of the text that was accepted; `masked` shortens numbers by three digits.
    """

    masked = models.BooleanField(default=True)
    declaration = models.CharField(max_length=20)
    ordered_by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+")
    ordered_at = models.DateTimeField()
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(withdrawn_at__isnull=True), name="itemisation_one_open"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="itemisation_withdrawn_by_somebody",
            ),
        )
        indexes = (models.Index(fields=["tenant", "ordered_at"], name="itemisation_of_tenant"),)

    def __str__(self) -> str:
        return f"{self.ordered_at:%Y-%m-%d}"


class Helpline(models.Model):
    """A number that no itemised list ever shows: advice in need, from the regulator's list (rule T5)."""

    number = models.CharField(_("Phone number"), max_length=20, unique=True)
    name = models.CharField(_("Name"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("helpline")
        verbose_name_plural = _("helplines")

    def __str__(self) -> str:
        return self.number


class RetentionProof(TenantModel):
    """What a day's check found for a tenant: `beyond` calls older than the limit and not held (0, or something broke),
    `held` by open disputes, `kept` in all, the oldest of them from `oldest_at`."""

    on = models.DateField(_("Day"))
    checked_at = models.DateTimeField()
    beyond = models.PositiveIntegerField()
    held = models.PositiveIntegerField()
    kept = models.PositiveIntegerField()
    oldest_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = (models.UniqueConstraint(fields=["tenant", "on"], name="retention_proof_daily"),)

    def __str__(self) -> str:
        return f"{self.on}: {self.beyond}"


class ErasureDecision(TenantModel):
    """What was decided about one kind of a person's data when they were erased; append-only, without their name."""

    class Decision(models.TextChoices):
        ERASED = "erased", _("erased")
        KEPT = "kept", _("kept")

    staff_member = models.ForeignKey(
        "staff.StaffMember", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    kind = models.CharField(max_length=20)
    decision = models.CharField(max_length=6, choices=Decision)
    reason = models.CharField(max_length=40)
    count = models.PositiveIntegerField(default=0)
    by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+")
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes = (models.Index(fields=["tenant", "staff_member", "at"], name="erasure_of_person"),)

    def __str__(self) -> str:
        return f"{self.kind}: {self.decision}"
