"""The market's codes for a rejection, for people: what each means, and which field to correct (rule P4)."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from numbers.models import RejectionCode

# A field of the order; SON says in words only what is wrong.
FIELD_OF: Mapping[str, str] = {
    RejectionCode.RNG: "numbers",
    RejectionCode.ADF: "street",
    RejectionCode.AIF: "holder_name",
    RejectionCode.WAI: "further_holders",
    RejectionCode.KNI: "provider_customer_number",
    RejectionCode.VAE: "requested_on",
    RejectionCode.SON: "",
}
MEANING: Mapping[str, Promise] = {
    RejectionCode.RNG: _(
        "At least one of the numbers is not connected there. Please compare them with your last bill."
    ),
    RejectionCode.ADF: _("The address differs from the one on file there. Please enter it as it is on your last bill."),
    RejectionCode.AIF: _("The holder differs from the one on file there. Please enter the name as on your last bill."),
    RejectionCode.WAI: _("The line has further holders there. Please enter every one of them."),
    RejectionCode.KNI: _("The customer could not be found there. Please check provider, customer number and holder."),
    RejectionCode.VAE: _("Another agreement stands against it, such as an order of another provider or a contract."),
    RejectionCode.SON: _("For a reason of its own; please read what it wrote."),
}
