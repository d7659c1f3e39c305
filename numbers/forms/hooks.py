"""What a postal service tells of a letter."""

import json

from django import forms

from numbers.postal import FATES, Job


class PostalMessage(forms.Form):
    """Our key of the letter, the service's reference and its word for how the letter stands."""

    key = forms.UUIDField()
    id = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    status = forms.ChoiceField(choices=[(word, word) for word in FATES])

    @classmethod
    def of(cls, body: bytes) -> "PostalMessage":
        """Return the form filled in with a JSON object; with anything else it is empty, and so invalid."""
        try:
            said = json.loads(body)
        except ValueError:
            said = None
        return cls(said if isinstance(said, dict) else {})

    def job(self) -> Job:
        return Job(str(self.cleaned_data["id"]), FATES[self.cleaned_data["status"]])
