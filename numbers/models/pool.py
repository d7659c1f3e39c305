"""The operator's pool: numbers that nobody holds yet. No tenant reads these tables (rule O1)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models import PriceClass


class PoolArea(models.Model):
    """A local area of the pool: from which utilisation on (percent) the operator is warned, and when that was done.

    `warned_at` is empty while the utilisation is below: each crossing warns once.
    """

    area = models.OneToOneField("numbers.LocalArea", on_delete=models.PROTECT, primary_key=True, related_name="+")
    warn_from = models.PositiveSmallIntegerField(_("Warn from (percent)"), default=80)
    warned_at = models.DateTimeField(_("Warned"), null=True, blank=True)

    class Meta:
        verbose_name = _("utilisation of the pool")
        verbose_name_plural = _("utilisation of the pool")
        constraints = (models.CheckConstraint(condition=Q(warn_from__range=(1, 100)), name="pool_area_percent"),)

    def __str__(self) -> str:
        return str(self.area)


class PoolBlock(models.Model):
    """A block the operator was allotted: `base_number` (E.164) and all its extensions of `extension_digits` digits.

    `given` counts the numbers that somebody holds; `longest_run` is the longest row of neighbours that nobody holds,
    which a search for neighbours need not look below. Both are kept by the functions of the pool.
    """

    area = models.ForeignKey(PoolArea, on_delete=models.PROTECT, db_index=False, related_name="blocks")
    base_number = models.CharField(_("Base number"), max_length=15, unique=True)
    extension_digits = models.PositiveSmallIntegerField(_("Digits of the extension"))
    first = models.BigIntegerField(unique=True)
    porting_code = models.CharField(_("Porting code"), max_length=5)
    given = models.PositiveIntegerField(_("Given"), default=0)
    longest_run = models.PositiveIntegerField(_("Longest free run"), default=0)
    loaded_at = models.DateTimeField(_("In the pool since"))

    class Meta:
        verbose_name = _("block of the pool")
        verbose_name_plural = _("blocks of the pool")
        constraints = (
            models.CheckConstraint(condition=Q(extension_digits__range=(1, 3)), name="pool_block_size"),
            models.CheckConstraint(condition=Q(porting_code__regex=r"^D[0-9]{3}$"), name="pool_block_porting_code"),
        )
        indexes = (models.Index(fields=["area", "first"], name="pool_block_of_area"),)

    def __str__(self) -> str:
        return self.base_number

    @property
    def size(self) -> int:
        """Return how many numbers it has."""
        return int("1" + "0" * self.extension_digits)


class PoolNumber(models.Model):
    """A number of the pool, as an integer (E.164 without the plus): neighbours differ by one.

    One column says whether it can be had: `free_from` is the instant from which on nobody has a claim to it. NULL: it
    is given. In the future: it is reserved (`reservation` set) or rests after it was returned (rule O2). So both end by
    time alone.
    """

    value = models.BigIntegerField(_("Phone number"), primary_key=True)
    block = models.ForeignKey(PoolBlock, on_delete=models.PROTECT, db_index=False, related_name="numbers")
    area = models.ForeignKey(PoolArea, on_delete=models.PROTECT, db_index=False, related_name="+")
    price_class = models.CharField(max_length=10, choices=PriceClass, default=PriceClass.STANDARD)
    free_from = models.DateTimeField(_("Free from"), null=True)
    reservation = models.UUIDField(null=True)
    reserved_by = models.BigIntegerField(null=True)  # the tenant whose person reserved it; as good as gone once expired

    class Meta:
        verbose_name = _("number of the pool")
        verbose_name_plural = _("numbers of the pool")
        constraints = (
            models.CheckConstraint(
                condition=Q(reservation__isnull=True, reserved_by__isnull=True)
                | Q(reservation__isnull=False, reserved_by__isnull=False, free_from__isnull=False),
                name="pool_number_reservation_whole",
            ),
        )
        indexes = (
            models.Index(
                fields=["area", "value"],
                include=["free_from", "price_class"],
                condition=Q(free_from__isnull=False),
                name="pool_number_to_be_had",
            ),
            models.Index(
                fields=["reserved_by", "reservation"], condition=Q(reserved_by__isnull=False), name="pool_number_basket"
            ),
        )

    def __str__(self) -> str:
        return f"+{self.value}"
