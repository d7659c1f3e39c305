"""Whether the signed form of a port order still says what the order says (rule P5)."""

import hashlib
import json
from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from numbers.models import PortDocument, PortOrder

# What the form prints of an order, besides its numbers; a change of anything else needs no new signature.
PRINTED = (
    *("provider_id", "provider_customer_number", "contract_ends_on", "holder_kind", "holder_name", "holder_addition"),
    *("street", "house_number", "postcode", "town", "further_holders", "kind", "base_number", "range_from"),
    *("range_until", "pilot", "requested_on", "remaining", "directory_entry"),
)


def printed(order: PortOrder, e164s: Sequence[str]) -> str:
    """Return a digest of what the form prints of an order with these numbers (E.164)."""
    said = [[getattr(order, name) for name in PRINTED], sorted(e164s)]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


def refusal(order: PortOrder, e164s: Sequence[str]) -> Promise | None:
    """Return why the order cannot be handed over with the form it has, as a sentence, or None if it can."""
    newest = PortDocument.objects.filter(order=order).order_by("-version").first()
    if newest is None:
        return _("Please upload the signed order form.")
    if newest.printed != printed(order, e164s):
        return _(
            "The details have changed since the form was signed. Please download it anew, have it signed and upload it."
        )
    return None
