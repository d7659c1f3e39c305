"""Where calls to a number go."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from numbers.models.number import PhoneNumber
from portal import berlin
from portal.tenancy import TenantManager, TenantModel


class ForwardingQuerySet(models.QuerySet["Forwarding"]):
    """Which rules hold at an instant, whatever the job has done (rule C3)."""

    def standing(self, at: datetime) -> "ForwardingQuerySet":
        """Return the rules that hold: of a number that works and not to an own one that no longer does, without an end
        or with one ahead."""
        return self.leading(at).exclude(number__last_active_on__lt=berlin.day(at))

    def leading(self, at: datetime) -> "ForwardingQuerySet":
        """Return the rules that hold if their own number works, for who asks about such numbers alone."""
        gone = PhoneNumber.objects.due(at).filter(tenant=OuterRef("tenant"), e164=OuterRef("destination"))
        return self.filter(Q(until_at=None) | Q(until_at__gt=at)).filter(~Exists(gone))

    def due(self, at: datetime) -> "ForwardingQuerySet":
        """Return the rules whose end has come and that are still to be removed."""
        return self.filter(until_at__lte=at)


class Forwarding(TenantModel):
    """One rule of a number: when to forward, and where to: a phone number (E.164) or a SIP address.

    `until_at` is when a rule ends that was set up for some days only; NULL = until further notice.
    """

    class When(models.TextChoices):
        ALWAYS = "always", _("always")
        BUSY = "busy", _("when busy")
        NO_ANSWER = "no_answer", _("when there is no answer")

    number = models.ForeignKey(
        "numbers.PhoneNumber", on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    when = models.CharField(_("When"), max_length=9, choices=When)
    destination = models.CharField(_("Destination"), max_length=120)
    after_seconds = models.PositiveSmallIntegerField(_("After seconds"), null=True, blank=True)
    changed_at = models.DateTimeField()
    until_at = models.DateTimeField(_("Until"), null=True, blank=True)

    objects: ClassVar[Any] = TenantManager.from_queryset(ForwardingQuerySet)()

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
        indexes = (
            models.Index(fields=["tenant", "destination"], name="forwarding_to"),
            models.Index(fields=["until_at", "id"], condition=Q(until_at__isnull=False), name="forwarding_ends"),
        )

    def __str__(self) -> str:
        return f"{self.when} → {self.destination}"
