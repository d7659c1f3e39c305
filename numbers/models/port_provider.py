"""Providers that numbers are ported from and to."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.sorting import fold


class PortProviderQuerySet(models.QuerySet["PortProvider"]):
    def matching(self, term: str) -> "PortProviderQuerySet":
        """Return the providers whose name or porting code holds these words, in German order."""
        found = self.order_by("sort_key", "code")
        for word in fold(term).split():
            found = found.filter(Q(sort_key__contains=word) | Q(code__istartswith=word))
        return found


class PortProvider(models.Model):
    """A provider that numbers can be ported from or to, with its porting code. Belongs to the operator; everybody may
    read it."""

    name = models.CharField(_("Provider"), max_length=120)
    code = models.CharField(_("Porting code"), max_length=4, unique=True)
    sort_key = models.CharField(max_length=150)

    objects: ClassVar[Any] = models.Manager.from_queryset(PortProviderQuerySet)()

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        constraints = (models.CheckConstraint(condition=Q(code__regex=r"^D[0-9]{3}$"), name="port_provider_code"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"
