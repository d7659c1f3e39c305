"""The confirmations: each carries what was shown, so that nothing else can happen than what somebody agreed to."""

from django import forms


class WithdrawForm(forms.Form):
    """Agree that a scheduled deactivation is taken back."""

    operation_id = forms.UUIDField()


class ActivateForm(WithdrawForm):
    """Agree to a price: net EUR a month, as the page showed it (rule L1); none where nothing new is charged."""

    price_seen = forms.DecimalField(required=False, max_digits=8, decimal_places=2)


class DeactivateForm(WithdrawForm):
    """Agree to a date: the last active day that the page showed (rule C4)."""

    date_seen = forms.DateField(input_formats=["%Y-%m-%d"])
