"""The tenant's people, with or without a login."""

from collections.abc import Iterable
from typing import Any, ClassVar, NewType, cast

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.models import Role, User
from portal.tenancy import TenantManager, TenantModel


class StaffState(models.TextChoices):
    """Where a staff member stands; rows stay as history after somebody left."""

    ACTIVE = "active", _("active")
    LOCKED = "locked", _("locked")
    LEFT = "left", _("left")


class StaffMemberQuerySet(models.QuerySet["StaffMember"]):
    """Who is there, and who may be given something."""

    def present(self) -> "StaffMemberQuerySet":
        """Return those who have not left, the locked ones included."""
        return self.exclude(state=StaffState.LEFT)

    def active(self) -> "StaffMemberQuerySet":
        """Return those who are neither locked nor left: the only ones who may be given a number."""
        return self.filter(state=StaffState.ACTIVE)

    def locked(self, ids: Iterable[int]) -> "list[LockedMember]":
        """Lock these rows in id order and return them; the only source of LockedMember. Says nothing of `state`."""
        rows = self.filter(pk__in=list(ids)).order_by("pk").select_for_update(no_key=True, of=("self",))
        return [cast("LockedMember", row) for row in rows.select_related("user")]


class StaffMember(TenantModel):
    """One of a tenant's people, who may hold phone numbers.

    `user` is the login, absent for people without one; what they may do is the role of that login's membership. Who is
    locked has no membership: `role_kept` is the role that comes back with unlocking, and empty otherwise.
    `sort_key` is the name as a German list sorts it. `left_at` is set exactly once somebody left; the login goes then.
    """

    name = models.CharField(_("Name"), max_length=120)
    sort_key = models.CharField(max_length=160, editable=False)
    email = models.EmailField(_("E-mail"), blank=True)
    extension = models.CharField(_("Extension"), max_length=10, blank=True)
    department = models.CharField(_("Department"), max_length=60, blank=True)
    language = models.CharField(
        _("Language"), max_length=2, default="de", choices=[("de", "Deutsch"), ("en", "English")]
    )
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+")
    role_kept = models.CharField(max_length=13, choices=Role, blank=True, editable=False)
    state = models.CharField(_("State"), max_length=6, choices=StaffState, default=StaffState.ACTIVE)
    created_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = TenantManager.from_queryset(StaffMemberQuerySet)()

    class Meta(TenantModel.Meta):
        verbose_name = _("staff member")
        verbose_name_plural = _("staff members")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "id"], name="staff_tenant_id"),
            models.UniqueConstraint(
                fields=["tenant", "email"], condition=~Q(email="") & ~Q(state="left"), name="staff_email_once"
            ),
            models.UniqueConstraint(
                fields=["tenant", "user"], condition=Q(user__isnull=False), name="staff_login_once"
            ),
            models.CheckConstraint(
                condition=Q(state="left", left_at__isnull=False) | (~Q(state="left") & Q(left_at__isnull=True)),
                name="staff_left_at_iff_left",
            ),
            models.CheckConstraint(condition=Q(state__in=StaffState.values), name="staff_state_known"),
            models.CheckConstraint(condition=Q(role_kept="") | Q(state="locked"), name="staff_role_kept_while_locked"),
            models.CheckConstraint(condition=~Q(state="left") | Q(user__isnull=True), name="staff_left_without_login"),
        )
        indexes = (models.Index(fields=["tenant", "sort_key", "id"], name="staff_list"),)

    def __str__(self) -> str:
        return self.name

    @property
    def mail_language(self) -> str:
        """The language mails to this person are written in: that of their login, if they have one."""
        return self.user.language if self.user else self.language

    @property
    def address(self) -> str:
        """Return where mail reaches the person: the address they sign in with (`user` loaded), else the one noted."""
        return self.user.email if self.user else self.email


LockedMember = NewType("LockedMember", StaffMember)
"""A row that this transaction has locked, made by `StaffMember.objects.locked(...)` alone."""
