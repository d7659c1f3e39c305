"""Access to a fax printer: credentials per number and person, the mails that bring them, a tenant's setting."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal import berlin
from portal.models import User
from portal.tenancy import TenantModel


class FaxCredential(TenantModel):
    """What somebody's printer signs in with, to send faxes from one number. Rules F2 and F3.

    Kept is a keyed hash of the secret, empty until it was shown for the first time. After a new one was shown the
    previous one works until the new one is used, at the latest until `previous_until`. Once revoked, no hash is kept.
    """

    number = models.ForeignKey(
        "numbers.PhoneNumber", on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    staff_member = models.ForeignKey(
        "staff.StaffMember", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    username = models.CharField(_("User name"), max_length=16)
    secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    previous_hash = models.CharField(max_length=64, blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    shown_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(_("Last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("fax credentials")
        verbose_name_plural = _("fax credentials")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "id"], name="fax_credential_tenant_id"),
            models.UniqueConstraint(fields=["username"], name="fax_credential_username"),
            models.UniqueConstraint(
                fields=["tenant", "number", "staff_member"],
                condition=Q(revoked_at__isnull=True),
                name="fax_credential_once",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True) | Q(secret_hash="", previous_hash=""),
                name="fax_credential_revoked_empty",
            ),
            models.CheckConstraint(
                condition=Q(previous_hash="", previous_until__isnull=True)
                | (~Q(previous_hash="") & Q(previous_until__isnull=False)),
                name="fax_credential_previous_ends",
            ),
        )
        indexes = (
            models.Index(fields=["tenant", "number", "-id"], name="fax_credential_of_number"),
            models.Index(fields=["tenant", "staff_member", "-id"], name="fax_credential_of_person"),
        )

    def __str__(self) -> str:
        return self.username

    def ended_at(self, at: datetime) -> datetime | None:
        """Return when the access (number loaded) ended, or None while it stands at an instant; past the number's last
        active day it ended as planned, job or no job (rule C3)."""
        last = self.number.last_active_on
        return self.revoked_at or (berlin.inactive_from(last) if last and self.number.is_due(at) else None)


class FaxMail(TenantModel):
    """A mail that brings somebody their credentials: by a link that shows the secret once, or (`plain`) in the mail.

    The link's token is kept as its SHA-256 only. It works until `expires_at`, once (`opened_at`), unless a later mail
    or a revocation ended it (`ended_at`). `key` is that of the message in the outbox, which knows what became of it.
    """

    credential = models.ForeignKey(
        FaxCredential, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="mails"
    )
    key = models.UUIDField()
    recipient = models.EmailField(_("E-mail"))
    plain = models.BooleanField(default=False)
    token_hash = models.CharField(max_length=64, blank=True, editable=False)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("fax mail")
        verbose_name_plural = _("fax mails")
        constraints = (
            models.UniqueConstraint(fields=["tenant", "id"], name="fax_mail_tenant_id"),
            models.UniqueConstraint(fields=["token_hash"], condition=~Q(token_hash=""), name="fax_mail_token_once"),
            models.CheckConstraint(
                condition=Q(plain=True, token_hash="") | (Q(plain=False) & ~Q(token_hash="")),
                name="fax_mail_token_iff_link",
            ),
        )
        indexes = (models.Index(fields=["tenant", "credential", "-id"], name="fax_mail_of_credential"),)

    def __str__(self) -> str:
        return self.recipient

    def is_open(self, at: datetime) -> bool:
        """Return whether the link still works, as far as it says itself."""
        return not self.plain and self.opened_at is None and self.ended_at is None and at < self.expires_at


class FaxSettings(TenantModel):
    """Whether a tenant wants secrets in the mails themselves; one row at most, else everything is as by default."""

    plain_mail = models.BooleanField(_("Mail the password itself instead of a one-time link"), default=False)
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        verbose_name = _("fax settings")
        verbose_name_plural = _("fax settings")
        constraints = (models.UniqueConstraint(fields=["tenant"], name="fax_settings_once"),)

    def __str__(self) -> str:
        return f"{self.plain_mail}"
