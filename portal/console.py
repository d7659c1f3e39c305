"""What the operator's console calls the fields whose models give them no name for people."""

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: dict[str, Promise] = {
    "actor": _("Acting person"),
    "address": _("Address"),
    "after": _("New"),
    "agent": _("Being worked on by"),
    "area": _("Local area"),
    "base_number": _("Base number"),
    "batch": _("Print batch"),
    "before": _("Old"),
    "by": _("Person"),
    "changes": _("Changes of the date"),
    "claimed_until": _("Being made until"),
    "closed_at": _("Closed"),
    "created_at": _("Created"),
    "created_by": _("Created by"),
    "extension_digits": _("Extension"),
    "first": _("First extension"),
    "further_holders": _("Further holders"),
    "holder_kind": _("Kind of holder"),
    "key": _("Key"),
    "language": _("Language"),
    "letter": _("PIN letter"),
    "number": _("Phone number"),
    "numbers": _("Phone numbers"),
    "object_id": _("Id of the object"),
    "object_type": _("Kind of object"),
    "on_behalf_of": _("On behalf of"),
    "on_its_way": _("On its way"),
    "price_class": _("Price class"),
    "price_seen": _("Price agreed to"),
    "request_id": _("Id of the request"),
    "requested_by": _("Requested by"),
    "sealed": _("Sealed"),
    "sha256": _("Checksum (SHA-256)"),
    "slug": _("Short name"),
    "sort_key": _("Sort key"),
    "tenant": _("Tenant"),
    "user": _("Person"),
}


def name_fields(model: type[Model]) -> None:
    """Give these names to a model's fields in this process; migrations never see them."""
    for field in model._meta.fields:
        if field._verbose_name is None and field.name in WORDS:  # type: ignore[attr-defined]  # what was given, if anything
            field.verbose_name = WORDS[field.name]  # type: ignore[assignment]  # the stubs know str only
