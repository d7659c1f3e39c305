"""Who signs in, which tenants there are, and who is what in which of them."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a person who may sign in; the address is stored normalised (lower case)."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=self.normalize_email(username))


class User(AbstractBaseUser):
    """A person who signs in: of one or several tenants, or an agent of the operator.

    Exempt from row-level security: it must be found before a tenant is known and holds nothing of a tenant's.
    """

    class Theme(models.TextChoices):
        AUTO = "auto", _("System setting")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(_("E-mail"), unique=True)
    name = models.CharField(_("Name"), max_length=120)
    language = models.CharField(
        _("Language"), max_length=2, default="de", choices=[("de", "Deutsch"), ("en", "English")]
    )
    theme = models.CharField(_("Appearance"), max_length=5, choices=Theme, default=Theme.AUTO)
    preferences = models.JSONField(default=dict, blank=True)
    is_operator = models.BooleanField(_("Operator's agent"), default=False)
    is_active = models.BooleanField(_("May sign in"), default=True)
    joined_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.name or self.email

    # Django's admin, which is the operator's console, asks these.
    @property
    def is_staff(self) -> bool:
        return self.is_operator

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_active and self.is_operator

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_operator


class Role(models.TextChoices):
    """What somebody is in a tenant; `portal.access` says what each may do."""

    ADMINISTRATOR = "administrator", _("Administrator")
    BILLING = "billing", _("Billing contact")
    STAFF = "staff", _("Staff member")


class Tenant(models.Model):
    """A business customer of the operator. Row-level security shows it to its own people."""

    name = models.CharField(_("Name"), max_length=120)
    slug = models.SlugField(unique=True)
    customer_number = models.CharField(_("Customer number"), max_length=20, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """What a person is in a tenant. Row-level security shows people their own and a tenant its own."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("Role"), max_length=13, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = (models.UniqueConstraint(fields=["tenant", "user"], name="membership_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} {self.tenant_id}"
