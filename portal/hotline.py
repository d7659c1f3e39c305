"""The operator's hotline, as people read it."""

from functools import cache

from django.conf import settings


@cache
def _national(e164: str) -> str:
    import phonenumbers  # noqa: PLC0415 -- a large module that only pages and mails need

    number = phonenumbers.parse(e164, None)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL).replace("/", " ")


def hotline() -> str:
    """Return the operator's hotline in national notation."""
    return _national(settings.OPERATOR_HOTLINE)
