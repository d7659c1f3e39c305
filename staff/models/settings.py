"""What a tenant decided for all its staff."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.tenancy import TenantModel


class StaffSettings(TenantModel):
    """One row per tenant, made when somebody first changes a setting; until then the defaults hold. Rules A5, T5."""

    mails_on_assignment = models.BooleanField(
        _("Tell staff by mail when a number is assigned to or taken from them"), default=True
    )
    edits_forwarding = models.BooleanField(_("Staff may change the forwarding of their own numbers"), default=False)
    sees_own_calls = models.BooleanField(_("Staff may see the calls of their own numbers"), default=False)
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        verbose_name = _("staff settings")
        verbose_name_plural = _("staff settings")
        constraints = (models.UniqueConstraint(fields=["tenant"], name="staff_settings_once"),)

    def __str__(self) -> str:
        return str(self.tenant_id)
