"""What is billed: slots, and what they cost."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from portal.tenancy import TenantModel


class PriceClass(models.TextChoices):
    """Kinds of places with a price of their own; a swap stays within one (rule S2)."""

    STANDARD = "standard", _("Standard")
    PREMIUM = "premium", _("Easy to remember")


class Price(models.Model):
    """A version of the price list for one class: net EUR, valid from a Berlin day. Once valid it never changes and is
    only followed by the next version (rule B2). Belongs to the operator; everybody may read it."""

    price_class = models.CharField(_("Price class"), max_length=10, choices=PriceClass)
    valid_from = models.DateField(_("Valid from"))
    monthly = models.DecimalField(_("Monthly fee (net EUR)"), max_digits=8, decimal_places=2)
    order_fee = models.DecimalField(_("Order fee (net EUR)"), max_digits=8, decimal_places=2)
    vat_rate = models.DecimalField(_("VAT rate (percent)"), max_digits=4, decimal_places=1)

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("price list")
        constraints = (
            models.UniqueConstraint(fields=["price_class", "valid_from"], name="price_one_version_a_day"),
            models.CheckConstraint(
                condition=Q(monthly__gte=0, order_fee__gte=0, vat_rate__gte=0), name="price_not_negative"
            ),
        )

    def __str__(self) -> str:
        return f"{self.price_class} {self.monthly} EUR ({self.valid_from})"


class Slot(TenantModel):
    """One paid place for an active number (rule B1): from `from_on` until before `until_on` (Berlin days, half-open;
    NULL = still). A swap only changes `label`, the number it shows; billing never learns what a number is."""

    label = models.CharField(max_length=16)
    price_class = models.CharField(max_length=10, choices=PriceClass)
    from_on = models.DateField(_("From"))
    until_on = models.DateField(_("Until"), null=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("slot")
        verbose_name_plural = _("slots")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "id"], name="slot_tenant_id"),
            models.UniqueConstraint(fields=["tenant", "label"], condition=Q(until_on=None), name="slot_open_once"),
            models.CheckConstraint(
                condition=Q(until_on=None) | Q(until_on__gte=F("from_on")), name="slot_not_backwards"
            ),
        )
        indexes = (models.Index(fields=["tenant", "label", "from_on"], name="slot_by_label"),)

    def __str__(self) -> str:
        return f"{self.label} {self.from_on}–{self.until_on or ''}"


class SlotMove(TenantModel):
    """A slot that went on under another label: the trace of a cost-neutral swap."""

    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="moves")
    on = models.DateField()
    from_label = models.CharField(max_length=16)
    to_label = models.CharField(max_length=16)

    class Meta(TenantModel.Meta):
        indexes = (models.Index(fields=["tenant", "slot"], name="slot_move_of"),)

    def __str__(self) -> str:
        return f"{self.from_label} → {self.to_label}"


class OneOffCharge(TenantModel):
    """Something charged once, with the month of its Berlin day: what for, how many, and the net sum in EUR."""

    class Kind(models.TextChoices):
        ORDER = "order", _("Order fee")

    kind = models.CharField(max_length=10, choices=Kind)
    label = models.CharField(max_length=120)
    count = models.PositiveIntegerField()
    on = models.DateField()
    net = models.DecimalField(max_digits=10, decimal_places=2)
    vat_rate = models.DecimalField(max_digits=4, decimal_places=1)

    class Meta(TenantModel.Meta):
        verbose_name = _("one-off charge")
        verbose_name_plural = _("one-off charges")
        constraints = (models.CheckConstraint(condition=Q(net__gte=0, count__gte=1), name="charge_not_negative"),)
        indexes = (models.Index(fields=["tenant", "on"], name="charge_by_day"),)

    def __str__(self) -> str:
        return f"{self.label} {self.net} EUR ({self.on})"
