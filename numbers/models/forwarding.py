"""Where calls to a number go."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.tenancy import TenantModel


class Forwarding(TenantModel):
    """One rule of a number: when to forward, and where to: a phone number (E.164) or a SIP address."""

    class When(models.TextChoices):
        ALWAYS = "always", _("always")
        BUSY = "busy", _("when busy")
        NO_ANSWER = "no_answer", _("when there is no answer")

    number = models.ForeignKey(
        "numbers.PhoneNumber", on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="forwardings"
    )
    when = models.CharField(_("When"), max_length=9, choices=When)
    destination = models.CharField(_("Destination"), max_length=120)
    after_seconds = models.PositiveSmallIntegerField(_("After seconds"), null=True, blank=True)
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        verbose_name = _("forwarding")
        verbose_name_plural = _("forwardings")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "number", "when"], name="forwarding_once_per_case"),
            models.CheckConstraint(
                condition=Q(when="no_answer", after_seconds__isnull=False, after_seconds__range=(5, 120))
                | (~Q(when="no_answer") & Q(after_seconds__isnull=True)),
                name="forwarding_seconds_iff_no_answer",
            ),
        )
        indexes = (models.Index(fields=["tenant", "destination"], name="forwarding_to"),)

    def __str__(self) -> str:
        return f"{self.when} → {self.destination}"
