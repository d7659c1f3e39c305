"""Calls on their way in: what a switch delivered, and what could not be placed."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class IntakeLine(models.Model):
    """One call as its source delivered it: waiting for the sweep, or (with a `reason`) in quarantine.

    The operator's alone, for nobody knows yet whose it is. Deleted once it was placed, and with the longest retention.
    """

    source = models.CharField(_("Source"), max_length=40)
    source_id = models.CharField(_("Id at the source"), max_length=80)
    line = models.JSONField()
    reason = models.CharField(_("Reason"), max_length=40, blank=True)
    received_at = models.DateTimeField(_("Received"))

    class Meta:
        verbose_name = _("call in quarantine or waiting")
        verbose_name_plural = _("calls in quarantine or waiting")
        constraints = (models.UniqueConstraint(fields=["source", "source_id"], name="intake_line_once"),)
        indexes = (
            models.Index(fields=["id"], condition=Q(reason=""), name="intake_waiting"),
            models.Index(fields=["received_at"], name="intake_age"),
        )

    def __str__(self) -> str:
        return f"{self.source} {self.source_id}"
