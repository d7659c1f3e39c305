"""Blocks: a base number with all its extensions, as a thing of its own."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.tenancy import TenantModel


class NumberBlock(TenantModel):
    """A tenant's block: `base_number` (E.164) and how many digits its extensions have. Its numbers are the tenant's
    phone numbers with this base number; extensions the tenant does not hold are gaps."""

    base_number = models.CharField(_("Base number"), max_length=16)
    extension_digits = models.PositiveSmallIntegerField(_("Digits of the extension"))
    area = models.ForeignKey("numbers.LocalArea", on_delete=models.PROTECT, db_index=False, related_name="+")
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        verbose_name = _("number block")
        verbose_name_plural = _("number blocks")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "id"], name="block_tenant_id"),
            models.UniqueConstraint(fields=["tenant", "base_number"], name="block_once"),
        )

    def __str__(self) -> str:
        return self.base_number
