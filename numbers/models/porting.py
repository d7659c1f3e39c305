"""Orders to bring numbers from another provider (rules P1–P6)."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, NewType, cast

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, When
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from numbers import port_calendar
from portal import berlin
from portal.tenancy import TenantManager, TenantModel


class PortState(models.TextChoices):
    """Where an order stands; the moves are those of `numbers.porting.MOVES`."""

    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("submitted")
    CONFIRMED = "confirmed", _("date confirmed")
    REJECTED = "rejected", _("rejected")
    COMPLETED = "completed", _("completed")
    CANCELLED = "cancelled", _("cancelled")


CLAIMING = (PortState.SUBMITTED, PortState.CONFIRMED, PortState.REJECTED)  # their numbers are in no other order


class PortKind(models.TextChoices):
    SINGLE = "single", _("Single numbers")
    BLOCK = "block", _("Number block")


class HolderKind(models.TextChoices):
    COMPANY = "company", _("Company")
    PERSON = "person", _("Person")


class Remaining(models.TextChoices):
    """What becomes of the numbers of the old line that are not ported (rule P2)."""

    ALL = "all", _("There are no others: all numbers of the line are ported")
    KEEP = "keep", _("They stay with the old provider")
    GIVE_UP = "give_up", _("They are given up with the old contract")


class DirectoryEntry(models.TextChoices):
    NONE = "none", _("No entry")
    ONLINE = "online", _("Electronic directories and enquiry services")
    FULL = "full", _("Printed and electronic directories and enquiry services")


class RejectionCode(models.TextChoices):
    """The market's codes for a rejection (rule P4)."""

    RNG = "RNG", _("number not connected there")
    ADF = "ADF", _("address differs")
    AIF = "AIF", _("holder differs")
    WAI = "WAI", _("further holders")
    KNI = "KNI", _("customer cannot be identified")
    VAE = "VAE", _("another agreement stands against it")
    SON = "SON", _("other reason")


class ToSend(models.TextChoices):
    """What the operator still has to hand over to the old provider."""

    NOTHING = "", _("nothing")
    ORDER = "order", _("the order")
    CHANGE = "change", _("the change of the date")
    CANCELLATION = "cancellation", _("the cancellation")


class PortOrderQuerySet(models.QuerySet["PortOrder"]):
    """Orders by where they stand."""

    def locked(self, pk: int) -> "LockedPortOrder | None":
        """Lock this order and return it; the only source of LockedPortOrder."""
        row = self.select_for_update(no_key=True, of=("self",)).filter(pk=pk).first()
        return cast("LockedPortOrder | None", row)

    def under_way(self) -> "PortOrderQuerySet":
        """Return drafts and open orders, those that wait for the tenant first."""
        waits = Case(When(state__in=(PortState.DRAFT, PortState.REJECTED), then=0), default=1)
        return self.filter(state__in=(PortState.DRAFT, *CLAIMING)).order_by(waits, "-pk")

    def in_state(self, state: str) -> "PortOrderQuerySet":
        """Return the orders that stand there."""
        return self.filter(state=state)

    def open(self) -> "PortOrderQuerySet":
        """Return the orders that were submitted and are neither completed nor cancelled."""
        return self.filter(state__in=CLAIMING)

    def due(self, at: datetime) -> "PortOrderQuerySet":
        """Return the orders whose changeover has begun, the old provider having reported no fault."""
        return self.filter(state=PortState.CONFIRMED, confirmed_on__lte=port_calendar.begun(at), fault="")

    def to_remind(self, at: datetime) -> "PortOrderQuerySet":
        """Return the orders whose changeover is at most a day away and about which nobody was reminded yet."""
        ahead = self.filter(state=PortState.CONFIRMED, confirmed_on__gt=port_calendar.begun(at), fault="")
        told = PortEvent.objects.filter(kind=PortEventKind.REMINDED, order=OuterRef("pk"), key=OuterRef("day"))
        near = ahead.filter(confirmed_on__lte=berlin.day(at) + timedelta(days=1))
        return near.annotate(day=Cast("confirmed_on", models.CharField())).exclude(Exists(told))

    def on_the_desk(self) -> "PortOrderQuerySet":
        """Return the orders the operator has something to do with: open ones, and what is still to be handed over."""
        return self.filter(Q(state__in=CLAIMING) | ~Q(to_send=""))

    def interrupted(self, at: datetime) -> "PortOrderQuerySet":
        """Return the orders not completed a whole working day after their date (rule P3)."""
        return self.filter(state=PortState.CONFIRMED, confirmed_on__lt=port_calendar.latest_unfinished(at))


class PortOrder(TenantModel):
    """An order to bring one line's numbers from the old provider (rule P2): single numbers, or one block.

    Holder and address are those of the old provider, to the letter; `holder_addition` is the first name of a person or
    the addition to a company's name. `range_from`, `range_until` and `pilot` are extensions of the block. `attempt`
    counts submissions. `price_seen` is the monthly net price of a number that was agreed to with `activate`;
    `temporary` a number that the ported one (a block's pilot) may replace. `to_send` is what the old provider has not
    been told yet, `on_its_way` that an adapter has begun to tell it, so that it may know; `change_on` a date that was
    asked for instead of `confirmed_on`, `fault` why a changeover failed.
    """

    state = models.CharField(_("State"), max_length=9, choices=PortState, default=PortState.DRAFT)
    kind = models.CharField(_("Kind"), max_length=6, choices=PortKind, default=PortKind.SINGLE)
    area = models.ForeignKey(
        "numbers.LocalArea", on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    base_number = models.CharField(_("Base number"), max_length=16, blank=True)
    range_from = models.CharField(_("First extension"), max_length=4, blank=True)
    range_until = models.CharField(_("Last extension"), max_length=4, blank=True)
    pilot = models.CharField(_("Extension of the switchboard"), max_length=4, blank=True)
    provider = models.ForeignKey(
        "numbers.PortProvider",
        verbose_name=_("Old provider"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
    )
    provider_customer_number = models.CharField(_("Customer number there"), max_length=40, blank=True)
    contract_ends_on = models.DateField(_("End of the contract"), null=True, blank=True)
    holder_kind = models.CharField(max_length=7, choices=HolderKind, default=HolderKind.COMPANY)
    holder_name = models.CharField(_("Holder"), max_length=120, blank=True)
    holder_addition = models.CharField(_("Addition"), max_length=80, blank=True)
    street = models.CharField(_("Street"), max_length=80, blank=True)
    house_number = models.CharField(_("House number"), max_length=12, blank=True)
    postcode = models.CharField(_("Postcode"), max_length=5, blank=True)
    town = models.CharField(_("Town"), max_length=80, blank=True)
    further_holders = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    requested_on = models.DateField(_("Requested date"), null=True, blank=True)
    remaining = models.CharField(_("Remaining numbers"), max_length=7, choices=Remaining, blank=True)
    activate = models.BooleanField(_("Activate on the port date"), default=False)
    price_seen = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    directory_entry = models.CharField(
        _("Directory entry"), max_length=6, choices=DirectoryEntry, default=DirectoryEntry.NONE
    )
    temporary = models.ForeignKey(
        "numbers.PhoneNumber",
        verbose_name=_("Temporary number"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    by = models.ForeignKey("portal.User", on_delete=models.PROTECT, db_index=False, related_name="+")
    created_at = models.DateTimeField(_("Begun"))
    submitted_at = models.DateTimeField(_("Submitted"), null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(_("Attempt"), default=0)
    agent = models.ForeignKey(
        "portal.User", on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    reference = models.CharField(_("Reference at the old provider"), max_length=40, blank=True)
    to_send = models.CharField(_("To hand over"), max_length=12, choices=ToSend, blank=True)
    on_its_way = models.BooleanField(default=False)
    confirmed_on = models.DateField(_("Confirmed date"), null=True, blank=True)
    change_on = models.DateField(_("Date asked for"), null=True, blank=True)
    changes = models.PositiveSmallIntegerField(default=0)
    code = models.CharField(_("Reason"), max_length=3, choices=RejectionCode, blank=True)
    reason = models.TextField(_("The old provider's words"), max_length=500, blank=True)
    fault = models.TextField(_("Fault"), max_length=500, blank=True)
    completed_at = models.DateTimeField(_("Completed"), null=True, blank=True)

    objects: ClassVar[Any] = TenantManager.from_queryset(PortOrderQuerySet)()

    class Meta(TenantModel.Meta):
        verbose_name = _("port order")
        verbose_name_plural = _("port orders")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "id"], name="port_order_tenant_id"),
            models.CheckConstraint(condition=Q(state__in=PortState.values), name="port_order_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=["confirmed", "completed"], confirmed_on__isnull=False)
                | (~Q(state__in=["confirmed", "completed"]) & Q(confirmed_on__isnull=True)),
                name="port_order_date_iff_confirmed",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_on__isnull=True) | Q(confirmed_on__iso_week_day__lte=5),
                name="port_order_no_weekend",
            ),
            models.CheckConstraint(
                condition=(Q(change_on__isnull=True) & Q(fault="")) | Q(state="confirmed"),
                name="port_order_change_of_confirmed",
            ),
            models.CheckConstraint(
                condition=(Q(state="rejected") & ~Q(code="")) | (~Q(state="rejected") & Q(code="", reason="")),
                name="port_order_code_iff_rejected",
            ),
            models.CheckConstraint(
                condition=Q(state="completed", completed_at__isnull=False)
                | (~Q(state="completed") & Q(completed_at__isnull=True)),
                name="port_order_completed_at_iff_completed",
            ),
        )
        indexes = (
            models.Index(fields=["tenant", "-id"], name="port_order_latest"),
            models.Index(fields=["confirmed_on", "id"], condition=Q(state="confirmed"), name="port_order_due"),
            models.Index(
                fields=["submitted_at", "id"],
                condition=Q(state__in=["submitted", "confirmed", "rejected"]),
                name="port_order_queue",
            ),
        )

    def __str__(self) -> str:
        return self.base_number or str(self.get_kind_display())

    def is_locked(self, at: datetime) -> bool:
        """Return whether the changeover is less than 24 hours away and nothing can be changed any more (rule P3)."""
        return self.confirmed_on is not None and at >= port_calendar.locked_from(self.confirmed_on)

    def is_editable(self) -> bool:
        """Return whether what is ordered can be changed: as a draft, or to correct a rejection."""
        return self.state in (PortState.DRAFT, PortState.REJECTED)


# An order that this transaction has locked: only `PortOrder.objects.locked(...)` makes one.
LockedPortOrder = NewType("LockedPortOrder", PortOrder)


class PortNumber(TenantModel):
    """A number of an order; `open` from its submission until the order ends: then no other order may have it."""

    order = models.ForeignKey(
        PortOrder, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="numbers"
    )
    e164 = models.CharField(_("Phone number"), max_length=16)
    open = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        constraints = (
            models.UniqueConstraint(fields=["tenant", "order", "e164"], name="port_number_once"),
            models.UniqueConstraint(fields=["e164"], condition=Q(open=True), name="port_number_open_once"),
            models.CheckConstraint(condition=Q(e164__regex=r"^\+49[1-9][0-9]{3,12}$"), name="port_number_german"),
        )

    def __str__(self) -> str:
        return self.e164


class PortEventKind(models.TextChoices):
    """What can happen to an order; each is noted once per occasion (`PortEvent.key`)."""

    BEGUN = "begun", _("Draft begun")
    DOCUMENT = "document", _("Signed form uploaded")
    SUBMITTED = "submitted", _("Submitted")
    TAKEN = "taken", _("Being worked on")
    SENT = "sent", _("Handed over to the old provider")
    ACCEPTED = "accepted", _("Accepted by the old provider")
    REJECTED = "rejected", _("Rejected by the old provider")
    DATE_SET = "date_set", _("Date confirmed")
    CHANGE_ASKED = "change_asked", _("Another date asked for")
    CHANGE_REFUSED = "change_refused", _("Another date refused")
    REMINDED = "reminded", _("Reminder sent")
    FAULT = "fault", _("Changeover failed")
    COMPLETED = "completed", _("Completed")
    REPLACED = "replaced", _("Temporary number replaced")
    CANCELLED = "cancelled", _("Cancelled")


class PortEvent(TenantModel):
    """A step of an order, as the tenant sees it; append-only. `key` says which occasion of its kind it was."""

    order = models.ForeignKey(
        PortOrder, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="events"
    )
    kind = models.CharField(max_length=14, choices=PortEventKind)
    key = models.CharField(max_length=20)
    at = models.DateTimeField()
    by_name = models.CharField(max_length=120)
    details = models.JSONField(default=dict)

    class Meta(TenantModel.Meta):
        constraints = (
            models.UniqueConstraint(fields=["tenant", "order", "kind", "key"], name="port_event_once"),
            models.CheckConstraint(condition=Q(kind__in=PortEventKind.values), name="port_event_kind_known"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class PortDocument(TenantModel):
    """A version of the signed form; `name` is the random name of the kept file, `size` its bytes.

    `printed` is the digest of what the form said that was signed (`numbers.port_signed`).
    """

    order = models.ForeignKey(
        PortOrder, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="documents"
    )
    version = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=40)
    pages = models.PositiveSmallIntegerField()
    size = models.PositiveIntegerField()
    printed = models.CharField(max_length=64, default="")
    by = models.ForeignKey("portal.User", on_delete=models.PROTECT, db_index=False, related_name="+")
    at = models.DateTimeField(_("Uploaded"))

    class Meta(TenantModel.Meta):
        constraints = (models.UniqueConstraint(fields=["tenant", "order", "version"], name="port_document_version"),)

    def __str__(self) -> str:
        return f"{self.version}"

    @property
    def code(self) -> str:
        """The code that stands on the form, by which people tell it from others: six signs of its digest."""
        return form_code(self.printed)


def form_code(printed: str) -> str:
    """Return the code of a form with this digest, in two groups; nothing without one."""
    return f"{printed[:3]}-{printed[3:6]}".upper() if printed else ""
