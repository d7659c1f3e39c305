"""Numbers that leave for another provider (rule P7)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from numbers import port_calendar
from portal.tenancy import TenantManager, TenantModel


class PortOutState(models.TextChoices):
    ANNOUNCED = "announced", _("announced")
    DONE = "done", _("ported out")
    WITHDRAWN = "withdrawn", _("withdrawn")


class PortOutQuerySet(models.QuerySet["PortOut"]):
    def ahead(self) -> "PortOutQuerySet":
        """Return the port-outs that are announced and have not taken effect."""
        return self.filter(state=PortOutState.ANNOUNCED)

    def of(self, numbers: Iterable[int]) -> "PortOutQuerySet":
        """Return the announced port-outs of these numbers."""
        return self.ahead().filter(number__in=list(numbers))

    def due(self, at: datetime) -> "PortOutQuerySet":
        """Return the announced port-outs whose changeover has begun."""
        return self.ahead().filter(leaves_on__lte=port_calendar.begun(at))


class PortOut(TenantModel):
    """A number that another provider takes over on `leaves_on` (rule P7)."""

    number = models.ForeignKey(
        "numbers.PhoneNumber", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    provider = models.ForeignKey(
        "numbers.PortProvider",
        verbose_name=_("New provider"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
    )
    leaves_on = models.DateField(_("Date"))
    state = models.CharField(_("State"), max_length=9, choices=PortOutState, default=PortOutState.ANNOUNCED)
    by = models.ForeignKey("portal.User", on_delete=models.PROTECT, db_index=False, related_name="+")
    announced_at = models.DateTimeField(_("Announced"))
    ended_at = models.DateTimeField(_("Ended"), null=True, blank=True)

    objects: ClassVar[Any] = TenantManager.from_queryset(PortOutQuerySet)()

    class Meta(TenantModel.Meta):
        verbose_name = _("port-out")
        verbose_name_plural = _("port-outs")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "id"], name="port_out_tenant_id"),
            models.UniqueConstraint(
                fields=["tenant", "number"], condition=Q(state="announced"), name="port_out_announced_once"
            ),
            models.CheckConstraint(
                condition=Q(state="announced", ended_at__isnull=True)
                | (~Q(state="announced") & Q(ended_at__isnull=False)),
                name="port_out_ended_at_iff_ended",
            ),
        )
        indexes = (models.Index(fields=["leaves_on", "id"], condition=Q(state="announced"), name="port_out_due"),)

    def __str__(self) -> str:
        return f"{self.leaves_on}"
