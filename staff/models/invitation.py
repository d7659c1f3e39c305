"""Invitations: the way from a staff member to a login."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.models import Role, User
from portal.tenancy import TenantModel


class Invitation(TenantModel):
    """A mailed link by which one address becomes a login with a role: single use, for seven days.

    The link's token is kept as its SHA-256 only. One open invitation per person: a new one revokes the old. It is open
    while it is neither accepted nor revoked nor past `expires_at`.
    """

    member = models.ForeignKey(
        "staff.StaffMember", on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="invitations"
    )
    email = models.EmailField(_("E-mail"))
    role = models.CharField(_("Role"), max_length=13, choices=Role)
    token_hash = models.CharField(max_length=64, editable=False)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "id"], name="invitation_tenant_id"),
            models.UniqueConstraint(fields=["token_hash"], name="invitation_token_once"),
            models.UniqueConstraint(
                fields=["tenant", "member"],
                condition=Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="invitation_open_once",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(revoked_at__isnull=True), name="invitation_ends_one_way"
            ),
        )
        indexes = (models.Index(fields=["tenant", "member", "-id"], name="invitation_of_member"),)

    def __str__(self) -> str:
        return self.email

    def is_open(self, at: datetime) -> bool:
        """Return whether the link still works."""
        return self.accepted_at is None and self.revoked_at is None and at < self.expires_at
