"""The outbox: what is to be sent is a row of the transaction that caused it."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class OutboxMessage(models.Model):
    """A mail to be sent, with its own retry clock. `key` becomes the Message-ID, so a repeat is recognised as one.

    `template` and `context` are rendered in `language` when it is sent; the context holds display values only.
    `due_at` is when to try next; a worker that claims the row moves it ahead first, so a crash only delays it.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        SENT = "sent", _("sent")
        DEAD = "dead", _("given up")

    tenant = models.ForeignKey("portal.Tenant", on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    recipient = models.EmailField(_("Recipient"))
    language = models.CharField(max_length=2)
    template = models.CharField(_("Message"), max_length=80)
    context = models.JSONField(default=dict)
    state = models.CharField(_("State"), max_length=7, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(_("Attempts"), default=0)
    created_at = models.DateTimeField(_("Created"))
    due_at = models.DateTimeField(_("Next attempt"))
    sent_at = models.DateTimeField(_("Sent"), null=True)
    error = models.TextField(_("Last error"), blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = (
            models.Index(fields=["due_at", "id"], condition=Q(state="pending"), name="outbox_due"),
            models.Index(fields=["tenant", "-id"], name="outbox_tenant"),
        )

    def __str__(self) -> str:
        return f"{self.template} → {self.recipient}"
