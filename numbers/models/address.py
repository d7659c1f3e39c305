"""Addresses of a tenant, and how far the proof of each has come."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, ClassVar, NewType, cast

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal import berlin
from portal.tenancy import TenantManager, TenantModel


class AddressState(models.TextChoices):
    """The stored state; what a reader may show is a function of row and time: `Address.state_at`."""

    UNVERIFIED = "unverified", _("not verified")
    LETTER_REQUESTED = "letter_requested", _("PIN letter requested")
    LETTER_SENT = "letter_sent", _("PIN letter on its way")
    VERIFIED = "verified", _("verified")
    LOCKED = "locked", _("locked")
    EXPIRED = "expired", _("PIN expired")
    RETURNED_MAIL = "returned_mail", _("letter came back")
    REVOKED = "revoked", _("replaced")


class AddressQuerySet(models.QuerySet["Address"]):
    """What is current or verified *at an instant*."""

    def current(self) -> "AddressQuerySet":
        """Return the addresses that were not replaced by a newer one."""
        return self.exclude(state=AddressState.REVOKED)

    def verified(self, at: datetime) -> "AddressQuerySet":
        """Return the addresses that are, or were at that instant, proven."""
        return self.filter(Q(revoked_at=None) | Q(revoked_at__gt=at), verified_at__lte=at)

    def pending(self, at: datetime) -> "AddressQuerySet":
        """Return the addresses whose letter is asked for or on its way and may still be answered."""
        sent = Q(state=AddressState.LETTER_SENT, entry_until__gte=berlin.day(at))
        return self.filter(Q(state=AddressState.LETTER_REQUESTED) | sent)

    def due(self, at: datetime) -> "AddressQuerySet":
        """Return the addresses whose PIN has expired and whose state does not say so yet."""
        return self.filter(state=AddressState.LETTER_SENT, entry_until__lt=berlin.day(at))

    def locked(self, ids: Iterable[int]) -> "list[LockedAddress]":
        """Lock these rows in id order and return them; the only source of LockedAddress."""
        rows = self.filter(pk__in=list(ids)).order_by("pk").select_for_update(no_key=True, of=("self",))
        return [cast("LockedAddress", row) for row in rows.select_related("area")]


class Address(TenantModel):
    """Where a tenant is, in one local area, and whether a PIN letter proved it (rules V1–V3).

    `area` is chosen, never guessed from the postcode. `entry_until` is the last day (Berlin, inclusive) for the PIN of
    the letter; it is set exactly while a letter is on its way. What was verified never changes: the database refuses
    it, a move is a new address.
    """

    company = models.CharField(_("Company"), max_length=120)
    extra = models.CharField(_("Addition"), max_length=80, blank=True)
    street = models.CharField(_("Street"), max_length=80)
    house_number = models.CharField(_("House number"), max_length=12)
    postcode = models.CharField(_("Postcode"), max_length=5)
    town = models.CharField(_("Town"), max_length=80)
    area = models.ForeignKey(
        "numbers.LocalArea", verbose_name=_("Local area"), on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    state = models.CharField(_("State"), max_length=16, choices=AddressState, default=AddressState.UNVERIFIED)
    entry_until = models.DateField(_("PIN valid until"), null=True, blank=True)
    created_at = models.DateTimeField(_("Entered"))
    verified_at = models.DateTimeField(_("Verified"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("Replaced"), null=True, blank=True)

    objects: ClassVar[Any] = TenantManager.from_queryset(AddressQuerySet)()

    class Meta(TenantModel.Meta):
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "id"], name="address_tenant_id"),
            models.UniqueConstraint(
                fields=["tenant", "area"], condition=Q(state="verified"), name="address_one_verified_per_area"
            ),
            models.CheckConstraint(condition=Q(state__in=AddressState.values), name="address_state_known"),
            models.CheckConstraint(
                condition=Q(state="letter_sent", entry_until__isnull=False)
                | (~Q(state="letter_sent") & Q(entry_until__isnull=True)),
                name="address_date_iff_sent",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["verified", "revoked"], verified_at__isnull=False)
                | (~Q(state__in=["verified", "revoked"]) & Q(verified_at__isnull=True)),
                name="address_verified_iff_proven",
            ),
            models.CheckConstraint(
                condition=Q(state="revoked", revoked_at__isnull=False)
                | (~Q(state="revoked") & Q(revoked_at__isnull=True)),
                name="address_revoked_iff_replaced",
            ),
            models.CheckConstraint(condition=Q(postcode__regex=r"^[0-9]{5}$"), name="address_postcode_german"),
        )
        indexes = (
            models.Index(fields=["tenant", "area", "id"], name="address_of_area"),
            models.Index(fields=["entry_until", "id"], condition=Q(state="letter_sent"), name="address_due"),
        )

    def __str__(self) -> str:
        return f"{self.street} {self.house_number}, {self.postcode} {self.town}"

    def state_at(self, at: datetime) -> AddressState:
        """Return the state at an instant: after the last day for its PIN an address is expired, job or no job."""
        if self.entry_until is not None and self.entry_until < berlin.day(at):
            return AddressState.EXPIRED
        return AddressState(self.state)

    def is_verified(self, at: datetime) -> bool:
        """Return whether the address is proven at that instant."""
        return (
            self.verified_at is not None and self.verified_at <= at and not (self.revoked_at and self.revoked_at <= at)
        )

    def entry_days_left(self, at: datetime) -> int | None:
        """Return how many days remain to enter the PIN, today not counted; None when no letter is on its way."""
        last: date | None = self.entry_until
        return None if last is None else (last - berlin.day(at)).days


LockedAddress = NewType("LockedAddress", Address)
