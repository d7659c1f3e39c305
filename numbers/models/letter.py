"""PIN letters, the batches they are printed in, and what a postal service was asked for."""

import uuid
from collections.abc import Iterable
from typing import Any, ClassVar, NewType, cast

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from portal.tenancy import TenantManager, TenantModel


class LetterState(models.TextChoices):
    REVIEW = "review", _("for review")
    QUEUED = "queued", _("waiting for printing")
    BATCHED = "batched", _("in print")
    PRINTED = "printed", _("printed")
    POSTED = "posted", _("posted")
    RETURNED = "returned", _("came back")
    CANCELLED = "cancelled", _("cancelled")

    @classmethod
    def on_paper(cls) -> "frozenset[LetterState]":
        """Return the states in which a letter was made and is not posted yet."""
        return frozenset({cls.BATCHED, cls.PRINTED})


class PinLetterQuerySet(models.QuerySet["PinLetter"]):
    """Which letters still count, and which wait for the operator."""

    def open(self) -> "PinLetterQuerySet":
        """Return the letters that still count: one at most per address."""
        return self.filter(closed_at=None)

    def queued(self) -> "PinLetterQuerySet":
        """Return the letters that wait to be printed, oldest first."""
        return self.filter(state=LetterState.QUEUED, batch=None).order_by("id")

    def unposted(self) -> "PinLetterQuerySet":
        """Return the letters that still count, were made and are not posted yet."""
        return self.open().filter(state__in=LetterState.on_paper())

    def in_review(self) -> "PinLetterQuerySet":
        """Return the letters whose address did not fit and waits for the operator's wording."""
        return self.filter(state=LetterState.REVIEW)

    def written(self) -> "PinLetterQuerySet":
        """Return the letters that left, or will: all but those called off before they were printed."""
        return self.exclude(state=LetterState.CANCELLED)

    def locked(self, ids: Iterable[int]) -> "list[LockedLetter]":
        """Lock these rows in id order and return them; the only source of LockedLetter."""
        rows = self.filter(pk__in=list(ids)).order_by("pk").select_for_update(no_key=True, of=("self",))
        return [cast("LockedLetter", row) for row in rows.select_related("address__area", "requested_by")]


class PinLetter(TenantModel):
    """A letter with a PIN that proves an address (rules V2 and V3).

    `lines` is what is printed in the window, one string per line. The PIN exists in clear only while the PDF is made;
    `pin_hash` (argon2, bound to tenant, address and letter) is empty before. `tries` counts the guesses that were
    evaluated. `closed_at` is when the letter ceased to count: used, replaced, called off or returned.
    """

    address = models.ForeignKey(
        "numbers.Address", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    state = models.CharField(_("State"), max_length=9, choices=LetterState, default=LetterState.QUEUED)
    language = models.CharField(max_length=2, default="de")
    lines = models.JSONField(_("Address lines"), default=list)
    pin_hash = models.CharField(max_length=200, blank=True)
    tries = models.PositiveSmallIntegerField(_("Tries"), default=0)
    batch = models.ForeignKey(
        "numbers.PrintBatch", on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    position = models.PositiveSmallIntegerField(_("Place"), null=True, blank=True)
    requested_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, db_index=False, related_name="+")
    requested_at = models.DateTimeField(_("Requested"))
    posted_on = models.DateField(_("Posted on"), null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = TenantManager.from_queryset(PinLetterQuerySet)()

    class Meta(TenantModel.Meta):
        verbose_name = _("PIN letter")
        verbose_name_plural = _("PIN letters")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "id"], name="letter_tenant_id"),
            models.UniqueConstraint(
                fields=["tenant", "address"], condition=Q(closed_at=None), name="letter_one_open_per_address"
            ),
            models.CheckConstraint(condition=Q(state__in=LetterState.values), name="letter_state_known"),
            models.CheckConstraint(condition=Q(tries__lte=5), name="letter_five_tries"),
            models.CheckConstraint(
                condition=Q(batch__isnull=True, position__isnull=True) | Q(batch__isnull=False, position__isnull=False),
                name="letter_place_iff_batch",
            ),
        )
        indexes = (
            models.Index(fields=["tenant", "address", "-id"], name="letter_of_address"),
            models.Index(fields=["state", "id"], condition=Q(closed_at=None), name="letter_queue"),
            models.Index(fields=["batch", "position"], condition=~Q(batch=None), name="letter_of_batch"),
        )

    def __str__(self) -> str:
        return f"{self.pk}"


LockedLetter = NewType("LockedLetter", PinLetter)


class Delivery(models.TextChoices):
    QUEUE = "queue", _("print queue")
    LETTERXPRESS = "letterxpress", "LetterXpress"


class PrintBatchQuerySet(models.QuerySet["PrintBatch"]):
    """Which batches want something to be done."""

    def making(self) -> "PrintBatchQuerySet":
        """Return the batches whose PDF is still to be made."""
        return self.filter(state=PrintBatch.State.MAKING)

    def to_print(self) -> "PrintBatchQuerySet":
        """Return the batches that a worker makes: those of the print queue, not of a postal service."""
        return self.making().filter(delivery=Delivery.QUEUE)


class PrintBatch(models.Model):
    """At most 50 letters made as one PDF (rule V5). The operator's: customers' processes cannot even read it.

    `sealed` is the PDF with the PINs, encrypted, until a week after posting; then only its `sha256` remains.
    `claimed_until` is how long the worker that makes it has before another one tries.
    """

    class State(models.TextChoices):
        MAKING = "making", _("being made")
        READY = "ready", _("ready to print")
        PRINTED = "printed", _("printed")
        POSTED = "posted", _("posted")

    state = models.CharField(_("State"), max_length=7, choices=State, default=State.MAKING)
    delivery = models.CharField(_("Delivery"), max_length=12, choices=Delivery, default=Delivery.QUEUE)
    size = models.PositiveSmallIntegerField(_("Letters"))
    created_at = models.DateTimeField(_("Created"))
    created_by = models.ForeignKey(
        "portal.User", on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    claimed_until = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField(_("Made"), null=True, blank=True)
    printed_at = models.DateTimeField(_("Printed"), null=True, blank=True)
    printings = models.PositiveSmallIntegerField(_("Printings"), default=0)
    posted_at = models.DateTimeField(_("Posted"), null=True, blank=True)
    sealed = models.BinaryField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    erase_on = models.DateField(_("PDF kept until"), null=True, blank=True)
    error = models.TextField(_("Last error"), blank=True)

    objects = PrintBatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("print batch")
        verbose_name_plural = _("print batches")
        constraints = (
            models.CheckConstraint(condition=Q(size__gte=1, size__lte=50), name="print_batch_size"),
            models.CheckConstraint(
                condition=Q(posted_at__isnull=True) | Q(posted_at__gte=F("created_at")), name="print_batch_in_order"
            ),
        )
        indexes = (models.Index(fields=["id"], condition=Q(state="making"), name="print_batch_making"),)

    def __str__(self) -> str:
        return f"{self.pk}"


class PostalOrder(models.Model):
    """One letter given to a postal service: a row of the outbox's kind, with its own retry clock (rule V5).

    The operator's: customers' processes cannot even read it. `key` goes with the letter and comes back with every
    answer, so that a letter whose fate is unknown is looked up before it is sent again. `reference` is the service's
    own id, empty until it is known.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        ACCEPTED = "accepted", _("accepted")
        POSTED = "posted", _("posted")
        RETURNED = "returned", _("came back")
        CANCELLED = "cancelled", _("cancelled")
        DEAD = "dead", _("given up")

    letter = models.OneToOneField(PinLetter, on_delete=models.PROTECT, related_name="postal_order")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reference = models.CharField(_("Reference"), max_length=60, blank=True)
    state = models.CharField(_("State"), max_length=9, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(_("Attempts"), default=0)
    created_at = models.DateTimeField(_("Created"))
    due_at = models.DateTimeField(_("Next attempt"))
    error = models.TextField(_("Last error"), blank=True)

    class Meta:
        verbose_name = _("postal order")
        verbose_name_plural = _("postal orders")
        indexes = (
            models.Index(fields=["due_at", "id"], condition=Q(state__in=["pending", "accepted"]), name="postal_due"),
        )

    def __str__(self) -> str:
        return f"{self.key}"
