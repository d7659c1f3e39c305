"""Whether the signed form of a port order still says what the order says (rule P5)."""

import hashlib
import json
import re
from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from numbers.models import PortDocument, PortOrder
from numbers.models.porting import form_code

# What the form prints of an order, besides its numbers; a change of anything else needs no new signature.
PRINTED = (
    *("pk", "provider_id", "provider_customer_number", "contract_ends_on", "holder_kind", "holder_name"),
    *("holder_addition", "street", "house_number", "postcode", "town", "further_holders", "kind", "base_number"),
    *("range_from", "range_until", "pilot", "requested_on", "remaining", "directory_entry"),
)

OTHER_CODE = _(
    "This is not the code of the form for the present details. Please compare it once more. If it stands on the form "
    "like this, the details have changed since: please download the form anew and have it signed."
)


def printed(order: PortOrder, e164s: Sequence[str]) -> str:
    """Return a digest of what the form prints of an order with these numbers (E.164)."""
    said = [[getattr(order, name) for name in PRINTED], sorted(e164s)]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


def code(order: PortOrder, e164s: Sequence[str]) -> str:
    """Return the code of the form as it would be printed now, by which people tell it from others."""
    return form_code(printed(order, e164s))


def is_code(text: str, order: PortOrder, e164s: Sequence[str]) -> bool:
    """Return whether somebody read this code from the form as it would be printed now."""
    return re.sub("[^0-9A-F]", "", text.upper().replace("O", "0")) == code(order, e164s).replace("-", "")


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
