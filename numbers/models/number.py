"""Phone numbers: the rows behind the inventory."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, ClassVar, NewType, cast

from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models import PriceClass
from numbers.models.area import LocalArea
from portal import berlin, lookups, tenancy
from portal.tenancy import TenantManager, TenantModel


class NumberState(models.TextChoices):
    """The stored state; what a reader may show is a function of row and time (rule C3): `PhoneNumber.state_at`."""

    PORT_IN_PENDING = "port_in_pending", _("porting in")
    INACTIVE = "inactive", _("inactive")
    ACTIVE = "active", _("active")
    DEACTIVATION_SCHEDULED = "deactivation_scheduled", _("deactivation scheduled")
    RETURNED = "returned", _("returned")
    PORTED_OUT = "ported_out", _("ported out")


class Usage(models.TextChoices):
    VOICE = "voice", _("Voice")
    CONFERENCE = "conference", _("Conference")
    FAX_PERSONAL = "fax_personal", _("Personal fax")
    FAX_SHARED = "fax_shared", _("Shared fax")


GONE = (NumberState.RETURNED, NumberState.PORTED_OUT)


_LOCK = """
SELECT {columns} FROM numbers_phonenumber WHERE {tenant} AND id = ANY(%s) AND state <> ALL(%s)
ORDER BY id FOR NO KEY UPDATE"""


class PhoneNumberQuerySet(models.QuerySet["PhoneNumber"]):
    """What is active, scheduled, inactive or due *at an instant*; the raw state is for `lifecycle` alone (rule C3)."""

    def held(self) -> "PhoneNumberQuerySet":
        """Return the tenant's numbers without those that were returned or ported out."""
        return self.exclude(state__in=GONE)

    def active(self, at: datetime) -> "PhoneNumberQuerySet":
        """Return the numbers in service, those scheduled for deactivation included."""
        return self.filter(
            Q(state=NumberState.ACTIVE)
            | Q(state=NumberState.DEACTIVATION_SCHEDULED, last_active_on__gte=berlin.day(at))
        )

    def scheduled(self, at: datetime) -> "PhoneNumberQuerySet":
        """Return the numbers that work but will be deactivated."""
        return self.filter(state=NumberState.DEACTIVATION_SCHEDULED, last_active_on__gte=berlin.day(at))

    def unscheduled(self, at: datetime) -> "PhoneNumberQuerySet":
        """Return the numbers in service for which no deactivation is scheduled."""
        return self.filter(state=NumberState.ACTIVE)

    def inactive(self, at: datetime) -> "PhoneNumberQuerySet":
        """Return the numbers out of service, those included whose job has not run yet."""
        return self.filter(Q(state=NumberState.INACTIVE) | self._overdue(at))

    def due(self, at: datetime) -> "PhoneNumberQuerySet":
        """Return the numbers whose last active day has passed and whose effects are still to be materialised."""
        return self.filter(self._overdue(at))

    @staticmethod
    def _overdue(at: datetime) -> Q:
        return Q(state=NumberState.DEACTIVATION_SCHEDULED, last_active_on__lt=berlin.day(at))


class PhoneNumberManager(TenantManager.from_queryset(PhoneNumberQuerySet)):  # type: ignore[misc]  # made at run time
    def locked(self, ids: Iterable[int], *, held: bool = False) -> "list[LockedNumber]":
        """Lock these rows of the announced tenant in id order and return them.

        `held` leaves out what was returned or ported out. By hand, for every click and every batch waits for it: the
        ORM takes six times as long to say it.
        """
        with connection.cursor() as cursor:
            cursor.execute(*self.locking(ids, held=held))
            return self.locked_by(cursor.fetchall())

    def locking(self, ids: Iterable[int], *, held: bool = False) -> tuple[str, list[Any]]:
        """Return the statement of `locked` and its parameters, for who sends it along with another."""
        condition, given = tenancy.narrowed()
        statement = _LOCK.format(columns=", ".join(_FIELDS), tenant=condition)
        return statement, [*given, lookups.keys(ids), [str(state) for state in GONE] if held else []]

    def locked_by(self, found: Iterable[Sequence[Any]]) -> "list[LockedNumber]":
        """Return the numbers of the rows that `locking` found; with `locked` the only source of LockedNumber."""
        rows = [PhoneNumber.from_db(self.db, _FIELDS, values) for values in found]
        areas = LocalArea.known({row.area_id for row in rows})
        for row in rows:  # joined, every row would bring an instance of its own
            row.area = areas[row.area_id]
        return [cast("LockedNumber", row) for row in rows]


class PhoneNumber(TenantModel):
    """A phone number a tenant holds. Rows stay as history after it was returned or ported out.

    `e164` is canonical (`+4930…`). `base_number` (with +49) and `extension_digits` are its own split where it belongs
    to a block, so that DIN 5008's hyphen is never guessed (rule N1). `last_active_on` is the last day in service
    (Berlin, inclusive) and is set exactly while a deactivation is scheduled (rule C1).
    """

    e164 = models.CharField(_("Phone number"), max_length=16)
    base_number = models.CharField(max_length=16)
    extension_digits = models.CharField(max_length=6, blank=True)
    area = models.ForeignKey("numbers.LocalArea", on_delete=models.PROTECT, db_index=False, related_name="+")
    state = models.CharField(_("State"), max_length=22, choices=NumberState, default=NumberState.INACTIVE)
    last_active_on = models.DateField(_("Last active day"), null=True, blank=True)
    active_since = models.DateField(_("Active since"), null=True, blank=True)
    usage = models.CharField(_("Usage"), max_length=12, choices=Usage, default=Usage.VOICE)
    label = models.CharField(_("Label"), max_length=60, blank=True)
    note = models.TextField(_("Note"), max_length=1000, blank=True)
    price_class = models.CharField(max_length=10, choices=PriceClass, default=PriceClass.STANDARD)
    allocated_at = models.DateTimeField(_("In the inventory since"))

    objects: ClassVar[Any] = PhoneNumberManager()

    class Meta(TenantModel.Meta):
        verbose_name = _("phone number")
        verbose_name_plural = _("phone numbers")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "id"], name="number_tenant_id"),
            models.UniqueConstraint(
                fields=["e164"], condition=~Q(state__in=["returned", "ported_out"]), name="number_given_once"
            ),
            models.CheckConstraint(
                condition=Q(state="deactivation_scheduled", last_active_on__isnull=False)
                | (~Q(state="deactivation_scheduled") & Q(last_active_on__isnull=True)),
                name="number_date_iff_scheduled",
            ),
            models.CheckConstraint(condition=Q(state__in=NumberState.values), name="number_state_known"),
            models.CheckConstraint(condition=Q(e164__regex=r"^\+49[1-9][0-9]{3,12}$"), name="number_e164_german"),
        )
        indexes = (
            models.Index(fields=["tenant", "e164"], name="number_list"),
            models.Index(fields=["tenant", "state", "e164"], name="number_by_state"),
            models.Index(fields=["tenant", "area", "e164"], name="number_by_area"),
            models.Index(
                fields=["tenant", "last_active_on"], condition=Q(state="deactivation_scheduled"), name="number_upcoming"
            ),
            models.Index(
                fields=["last_active_on", "id"], condition=Q(state="deactivation_scheduled"), name="number_due"
            ),
        )

    def __str__(self) -> str:
        return self.e164

    def state_at(self, at: datetime) -> NumberState:
        """Return the state at an instant: past its last active day a number is inactive, job or no job (rule C3)."""
        if self.is_due(at):
            return NumberState.INACTIVE
        return NumberState(self.state)

    def is_due(self, at: datetime) -> bool:
        """Return whether a scheduled deactivation has passed and waits for its effects."""
        return self.last_active_on is not None and self.last_active_on < berlin.day(at)

    def works_until(self, at: datetime) -> date | None:
        """Return the last active day if the number works now and a deactivation is scheduled."""
        return self.last_active_on if self.state_at(at) == NumberState.DEACTIVATION_SCHEDULED else None


_FIELDS = tuple(field.attname for field in PhoneNumber._meta.concrete_fields)

# A row that this transaction has locked: only `PhoneNumber.objects` makes one, so mypy refuses others.
LockedNumber = NewType("LockedNumber", PhoneNumber)


class NumberSearch(TenantModel):
    """The searchable text of a number: digits in both notations, area, label. Narrow and apart, so that a change of
    state never rewrites its trigram index."""

    number = models.OneToOneField(
        PhoneNumber, on_delete=models.CASCADE, db_constraint=False, primary_key=True, related_name="search"
    )
    text = models.TextField()

    class Meta(TenantModel.Meta):
        indexes = (models.Index(fields=["tenant", "number"], name="number_search_tenant"),)

    def __str__(self) -> str:
        return self.text
