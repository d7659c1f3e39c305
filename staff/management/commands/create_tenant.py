"""Create a tenant and its first administrator."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email, validate_slug
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from portal import tenants
from portal.models import Role
from portal.tenancy import every_tenant, tenant_transaction
from staff import members

NAME = "create_tenant"


class Command(BaseCommand):
    help = "Create a tenant with its first administrator, who sets a password by “Forgot your password?”."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--slug", required=True, help="short name for commands, such as acme")
        parser.add_argument("--customer-number", required=True)
        parser.add_argument("--administrator", nargs=2, metavar=("EMAIL", "NAME"), required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        email, person_name = options["administrator"]
        try:
            validate_email(email)
            validate_slug(options["slug"])
            at = timezone.now()
            with transaction.atomic(), every_tenant():
                tenant = tenants.create(
                    options["name"],
                    slug=options["slug"],
                    customer_number=options["customer_number"],
                    by=NAME,
                    at=at,
                )
                person = tenants.invite(email, person_name, tenant=tenant, role=Role.ADMINISTRATOR, by=NAME, at=at)
                with tenant_transaction(tenant.pk):
                    members.enrol(by=NAME, at=at)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except tenants.TenantRefused as refused:
            raise CommandError(str(refused.reason)) from refused
        self.stdout.write(f"{tenant.name} ({tenant.slug}) was created; {person.email} is its administrator.")
        if not person.has_usable_password():
            address = settings.PORTAL_URL + reverse("account_reset_password")
            self.stdout.write(f"They set their password at {address}, where a link is mailed to them.")
