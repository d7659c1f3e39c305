"""Forms around calls: the order of the itemised bill, retention."""

from django import forms
from django.utils.translation import gettext_lazy as _

from numbers.models.keeping import MOST_MONTHS

MASKED, FULL = "masked", "full"


class OrderForm(forms.Form):
    """Declare that staff and works council were involved, and order the itemised bill (rule T5)."""

    operation_id = forms.UUIDField()
    declaration = forms.CharField(widget=forms.HiddenInput)
    numbers = forms.ChoiceField(
        label=_("How other numbers are shown"),
        choices=[(MASKED, _("without the last three digits")), (FULL, _("in full"))],
        widget=forms.RadioSelect,
        initial=MASKED,
    )
    declared = forms.BooleanField(
        label=_("I declare this for our company."),
        error_messages={"required": _("Without this declaration the itemised bill cannot be ordered.")},
    )


class WithdrawOrderForm(forms.Form):
    """Agree that the itemised bill ends."""

    operation_id = forms.UUIDField()


class RetentionForm(forms.Form):
    """Choose how long calls are kept after the invoice (rule T4)."""

    operation_id = forms.UUIDField()
    months = forms.TypedChoiceField(
        label=_("Months after the invoice"),
        choices=[(count, str(count)) for count in range(1, MOST_MONTHS + 1)],
        coerce=int,
        help_text=_("At most six, as the law says. Shorter takes effect tonight and cannot be undone."),
    )
