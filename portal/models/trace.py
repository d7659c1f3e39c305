"""The trace: one event for every effect of a person or a job (rule G1)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AuditEvent(models.Model):
    """Who did what to which object, when, and what changed. Append-only: grants and triggers refuse anything else.

    `tenant` is empty for what happens before a tenant is known (a failed sign-in) and for the operator's own acts.
    `actor` is empty for a job, whose name then stands in `actor_name`. PostgreSQL does not look tenant and actor up for
    each event (docs/adr/0002): the portal never deletes either, and wall 2 allows one's own tenant alone.
    """

    tenant = models.ForeignKey(
        "portal.Tenant", on_delete=models.PROTECT, null=True, db_index=False, db_constraint=False, related_name="+"
    )
    at = models.DateTimeField(_("Time"))
    actor = models.ForeignKey(
        "portal.User", on_delete=models.PROTECT, null=True, db_index=False, db_constraint=False, related_name="+"
    )
    actor_name = models.CharField(_("Actor"), max_length=120)
    on_behalf_of = models.CharField(max_length=120, blank=True)
    verb = models.CharField(_("Event"), max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.BigIntegerField(null=True)
    object_label = models.CharField(_("Object"), max_length=160, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    request_id = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = (
            models.Index(fields=["tenant", "object_type", "object_id", "-id"], name="audit_object"),
            models.Index(fields=["tenant", "-id"], name="audit_tenant"),
            models.Index(fields=["-id"], condition=Q(tenant=None), name="audit_without_tenant"),
        )

    def __str__(self) -> str:
        return f"{self.verb} {self.object_label}"
