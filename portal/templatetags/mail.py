"""Filters of mails, whose context travels as JSON: days and money are texts there."""

import base64
from datetime import date
from decimal import Decimal

from django import template
from django.utils import dateformat, formats
from django.utils.translation import get_language

from portal import sealing

register = template.Library()


@register.filter
def day(iso: str) -> str:
    """Write an ISO day as people read it: 31.12.2026 in German, 31 Dec 2026 in English."""
    return dateformat.format(date.fromisoformat(iso), "d.m.Y" if get_language() == "de" else "j M Y")


@register.simple_tag
def unsealed(sealed: str, about: str) -> str:
    """Write what the outbox keeps sealed until the mail goes."""
    return sealing.unseal(base64.b64decode(sealed), about=about).decode()


@register.filter
def money(amount: str) -> str:
    """Write an amount of EUR with two decimals, as the language groups digits."""
    return formats.number_format(Decimal(amount), decimal_pos=2, force_grouping=True)
