"""Faxes that people printed, and the attempts to send them."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, NewType, cast

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from portal.tenancy import TenantManager, TenantModel


class FaxState(models.TextChoices):
    """Where a fax stands; the moves are those of `fax.jobs`."""

    INCOMING = "incoming", _("coming in")
    WAITING = "waiting", _("waiting for its number")
    QUEUED = "queued", _("queued")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    FAILED = "failed", _("not sent")
    CANCELLED = "cancelled", pgettext_lazy("fax", "cancelled")


class FaxReason(models.TextChoices):
    """Why a fax was not sent."""

    ENCRYPTED = "encrypted", _("The document is protected by encryption. Please print it again without.")
    BROKEN = "broken", _("The document is damaged and cannot be read. Please print it again.")
    SCRIPT = "script", _("The document contains scripts. Please print it again, or print it to a PDF first.")
    TOO_MANY_PAGES = "too_many_pages", _("The document has more than 100 pages. Please print fewer at a time.")
    TOO_LARGE = "too_large", _("The document is too large to be made into a fax. Please print fewer pages at a time.")
    TOO_SLOW = "too_slow", _("Making the document into a fax took too long. Please print fewer pages at a time.")
    BUSY = "busy", _("The line was busy. Please try again later.")
    NO_ANSWER = "no_answer", _("Nobody answered. Please check the number or try again later.")
    NO_FAX = "no_fax", _("No fax machine answered. Please check the number.")
    REJECTED = "rejected", _("The call was refused. Please check the number.")
    INTERRUPTED = "interrupted", _("The transmission broke off. Please try again.")
    UNREACHABLE = "unreachable", _("Our fax service could not be reached for a day. Please try again.")
    NO_ACCESS = "no_access", _("The fax access it was printed with is no longer valid.")
    NO_NUMBER = "no_number", _("No number was entered for two weeks.")


OPEN = (FaxState.WAITING, FaxState.QUEUED, FaxState.SENDING)
ENDED = (FaxState.SENT, FaxState.FAILED, FaxState.CANCELLED)


class FaxJobQuerySet(models.QuerySet["FaxJob"]):
    """Faxes by where they stand, and whose they are."""

    def visible(self) -> "FaxJobQuerySet":
        """Return those whose document has arrived."""
        return self.exclude(state=FaxState.INCOMING)

    def in_states(self, states: Iterable[FaxState]) -> "FaxJobQuerySet":
        """Return those that stand in one of these states."""
        return self.filter(state__in=list(states))

    def incoming(self) -> "FaxJobQuerySet":
        """Return those whose document has not arrived yet."""
        return self.filter(state=FaxState.INCOMING)

    def to_erase(self, at: datetime) -> "FaxJobQuerySet":
        """Return those whose title and documents are to go."""
        return self.filter(erase_at__lte=at)

    def ended_before(self, at: datetime) -> "FaxJobQuerySet":
        """Return those with which nothing has happened since."""
        return self.filter(state__in=ENDED, ended_at__lt=at)

    def due(self, at: datetime) -> "FaxJobQuerySet":
        """Return those with which the worker has something to do now."""
        return self.filter(due_at__lte=at)

    def forgotten(self, *, waiting_before: datetime, incoming_before: datetime) -> "FaxJobQuerySet":
        """Return those for which nobody entered a number, and those whose document never came."""
        waiting = Q(state=FaxState.WAITING, received_at__lt=waiting_before)
        return self.filter(waiting | Q(state=FaxState.INCOMING, received_at__lt=incoming_before))

    def printed(self, number_id: int, staff_member_id: int) -> "FaxJobQuerySet":
        """Return what was printed with one credential: that of a number and a person."""
        return self.filter(number=number_id, staff_member=staff_member_id)

    def of_user(self, user_id: int) -> "FaxJobQuerySet":
        """Return the faxes of whoever signs in as this user."""
        return self.filter(staff_member__user=user_id)

    def locked(self, ids: Iterable[int]) -> "list[LockedFax]":
        """Lock these rows in id order and return them; the only source of LockedFax."""
        rows = self.filter(pk__in=list(ids)).order_by("pk").select_for_update(no_key=True, of=("self",))
        return [cast("LockedFax", row) for row in rows.select_related("number", "staff_member__user")]


class FaxJob(TenantModel):
    """A document that a staff member printed with the fax access of a number.

    `document` is the random name of what was printed, `fax` of the pages as they are sent, `preview` of a picture of
    the first one; empty before they are made and after they were erased. `title` is what the application called it:
    the person's own business, shown to nobody else. `due_at` is when the worker looks at it next; NULL = it has nothing
    to do. `key` is under what the sending machine knows it, anew for each attempt, `reference` what that machine calls
    it, empty until that is known. `erase_at` is when title and documents go.
    """

    number = models.ForeignKey(
        "numbers.PhoneNumber", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    staff_member = models.ForeignKey(
        "staff.StaffMember", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    title = models.CharField(_("Document"), max_length=255, blank=True)
    destination = models.CharField(_("To"), max_length=20, blank=True)
    document = models.CharField(max_length=40, blank=True)
    fax = models.CharField(max_length=40, blank=True)
    preview = models.CharField(max_length=40, blank=True)
    pages = models.PositiveSmallIntegerField(_("Pages"), null=True)
    state = models.CharField(_("State"), max_length=9, choices=FaxState, default=FaxState.INCOMING)
    reason = models.CharField(_("Reason"), max_length=14, choices=FaxReason, blank=True)
    received_at = models.DateTimeField(_("Printed"))
    ended_at = models.DateTimeField(_("Ended"), null=True)
    erase_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=80, blank=True)

    objects: ClassVar[Any] = TenantManager.from_queryset(FaxJobQuerySet)()

    class Meta(TenantModel.Meta):
        verbose_name = _("fax")
        verbose_name_plural = _("faxes")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "id"], name="fax_job_tenant_id"),
            models.CheckConstraint(condition=Q(state__in=FaxState.values), name="fax_job_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=ENDED, ended_at__isnull=False) | (~Q(state__in=ENDED) & Q(ended_at__isnull=True)),
                name="fax_job_ended_at_iff_ended",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["queued", "sending", "sent"]) | ~Q(destination=""),
                name="fax_job_sent_somewhere",
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(reason=""), name="fax_job_failed_with_reason"),
        )
        indexes = (
            models.Index(fields=["tenant", "staff_member", "-id"], name="fax_job_of_person"),
            models.Index(fields=["tenant", "number", "state"], name="fax_job_of_number"),
            models.Index(fields=["due_at", "id"], condition=Q(due_at__isnull=False), name="fax_job_due"),
            models.Index(fields=["erase_at", "id"], condition=Q(erase_at__isnull=False), name="fax_job_erase"),
        )

    def __str__(self) -> str:
        return f"{self.pk}"


LockedFax = NewType("LockedFax", FaxJob)
"""A row that this transaction has locked, made by `FaxJob.objects.locked(...)` alone."""


class FaxAttempt(TenantModel):
    """One attempt to send a fax: from when until when, and why it was in vain (empty: it was not, or still goes on).

    `detail` is what the sending machine said, for whoever helps.
    """

    job = models.ForeignKey(
        FaxJob, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="attempts"
    )
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=14, choices=FaxReason, blank=True)
    detail = models.CharField(max_length=200, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = (models.UniqueConstraint(fields=["tenant", "id"], name="fax_attempt_tenant_id"),)
        indexes = (models.Index(fields=["tenant", "job", "id"], name="fax_attempt_of_job"),)

    def __str__(self) -> str:
        return f"{self.job_id} {self.began_at:%c}"
