"""Orders of phone numbers."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.tenancy import TenantManager, TenantModel


class OrderState(models.TextChoices):
    """Where an order stands; the moves are those of `numbers.orders`."""

    PLACED = "placed", _("waiting for approval")
    FULFILLED = "fulfilled", _("fulfilled")
    REJECTED = "rejected", _("rejected")


NAMED = 3  # numbers that the title of an order names


class OrderKind(models.TextChoices):
    SINGLE = "single", _("Single numbers")
    CONSECUTIVE = "consecutive", _("Consecutive numbers")
    BLOCK = "block", _("Block")


class NumberOrderQuerySet(models.QuerySet["NumberOrder"]):
    """Orders by where they stand."""

    def waiting(self) -> "NumberOrderQuerySet":
        """Return the orders that wait for the operator."""
        return self.filter(state=OrderState.PLACED)

    def locked(self, pk: int) -> "NumberOrder | None":
        """Lock this order and return it."""
        return self.select_for_update(no_key=True).filter(pk=pk).first()


class NumberOrder(TenantModel):
    """Numbers somebody ordered. `numbers` (E.164) are what was chosen; what became of them stands in the inventory.

    `fee` is the whole order fee (net EUR) as it was shown and agreed to, `fees` its parts per price class: name, count,
    net EUR per number, VAT rate. Above the limit of an area (rule O3) the order
    waits with a `proof`, the random name of the uploaded file; `reservation` is what keeps its numbers until then.
    """

    area = models.ForeignKey("numbers.LocalArea", on_delete=models.PROTECT, db_index=False, related_name="+")
    kind = models.CharField(_("Kind"), max_length=11, choices=OrderKind)
    numbers = ArrayField(models.CharField(max_length=16))
    fee = models.DecimalField(_("Order fee (net EUR)"), max_digits=10, decimal_places=2)
    fees = models.JSONField()
    state = models.CharField(_("State"), max_length=9, choices=OrderState)
    by = models.ForeignKey("portal.User", on_delete=models.PROTECT, db_index=False, related_name="+")
    placed_at = models.DateTimeField(_("Ordered"))
    decided_at = models.DateTimeField(_("Decided"), null=True)
    reason = models.TextField(_("Reason"), max_length=500, blank=True)
    proof = models.CharField(max_length=40, blank=True)
    reservation = models.UUIDField()

    objects: ClassVar[Any] = TenantManager.from_queryset(NumberOrderQuerySet)()

    class Meta(TenantModel.Meta):
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "id"], name="order_tenant_id"),
            models.CheckConstraint(condition=Q(state__in=OrderState.values), name="order_state_known"),
            models.CheckConstraint(
                condition=Q(state="placed", decided_at__isnull=True)
                | (~Q(state="placed") & Q(decided_at__isnull=False)),
                name="order_decided_at_iff_decided",
            ),
            models.CheckConstraint(condition=~Q(state="rejected") | ~Q(reason=""), name="order_rejected_with_reason"),
            models.CheckConstraint(condition=~Q(state="placed") | ~Q(proof=""), name="order_waits_with_proof"),
        )
        indexes = (models.Index(fields=["tenant", "-id"], name="order_latest"),)

    def __str__(self) -> str:
        more = ", …" if len(self.numbers) > NAMED else ""
        return f"{self.get_kind_display()}: {', '.join(self.numbers[:NAMED])}{more}"
