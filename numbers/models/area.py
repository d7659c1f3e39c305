"""Local areas of the German numbering plan."""

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _


class LocalArea(models.Model):
    """A local area and its code, without the leading 0. Belongs to the operator; everybody may read it.

    `sort_key` is the name folded for German sorting (ä = a, ß = ss), since the database sorts by code point.
    """

    area_code = models.CharField(_("Area code"), max_length=6, unique=True)
    name = models.CharField(_("Local area"), max_length=80)
    sort_key = models.CharField(max_length=100, db_index=True)

    class Meta:
        verbose_name = _("local area")
        verbose_name_plural = _("local areas")

    def __str__(self) -> str:
        return f"{self.name} (0{self.area_code})"

    @classmethod
    def known(cls, ids: Iterable[int]) -> "dict[int, LocalArea]":
        """Return these areas by id, each read once per process: the numbering plan does not change under a click."""
        if missing := set(ids) - _read.keys():
            _read.update(cls.objects.in_bulk(missing))
        return _read


_read: dict[int, LocalArea] = {}
