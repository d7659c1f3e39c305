"""How amounts, rates and labels are written for people."""

from datetime import date
from decimal import Decimal

import phonenumbers
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from django.utils.translation import get_language


def euros(amount: Decimal) -> str:
    """Return an amount of EUR as the reader's language writes it: 1.234,50 € or €1,234.50."""
    return format_currency(amount, "EUR", locale=_language())


def whole_euros(amount: Decimal) -> str:
    """Return an amount rounded to whole EUR, for charts."""
    pattern = "¤#,##0" if _language() == "en" else "#,##0\u00a0¤"
    return format_currency(amount, "EUR", pattern, locale=_language(), currency_digits=False)


def percent(rate: Decimal) -> str:
    """Return a VAT rate: 19 % or 7,5 %."""
    return f"{format_decimal(rate.normalize(), locale=_language())}\u00a0%"


def decimal(amount: Decimal) -> str:
    """Return an amount with two places for a spreadsheet of the reader's language, without grouping."""
    return format_decimal(amount, "0.00", locale=_language())


def month_name(month: date, *, short: bool = False) -> str:
    """Return a month: November 2026, or Nov for the axis of a chart."""
    return format_date(month, "LLL" if short else "LLLL yyyy", locale=_language()).rstrip(".")


def number(label: str) -> str:
    """Return a slot's label, a number in E.164, as people write it, unbreakable."""
    try:
        parsed = phonenumbers.parse(label, None)
    except phonenumbers.NumberParseException:
        return label
    text = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return text.replace("/", " ").replace(" ", "\u00a0")


def _language() -> str:
    return (get_language() or "de")[:2]
