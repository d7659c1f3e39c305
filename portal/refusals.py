"""What an operation says when it cannot do what was asked as a whole."""

from django.utils.functional import Promise


class Refused(ValueError):
    """It cannot be done like this; `reason` says why, for people, `field` what to correct (None: no single one)."""

    def __init__(self, reason: Promise | str, field: str | None = None) -> None:
        super().__init__(str(reason))
        self.reason, self.field = reason, field
