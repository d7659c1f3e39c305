"""Enter a version of the price list."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from billing import prices
from billing.models import PriceClass

NAME = "set_price"


def _money(text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation as error:
        raise ValueError(text) from error


_money.__name__ = "amount"  # what the argument parser calls it in its message


class Command(BaseCommand):
    help = (
        "Enter a price (net EUR) that is valid from a day on. A version that is valid already never changes; the first "
        "one of a price class may begin in the past."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("price_class", choices=[str(value) for value in PriceClass.values])
        parser.add_argument("monthly", type=_money, help="monthly fee per number, net EUR")
        parser.add_argument("--order-fee", type=_money, default=Decimal(0), help="once per ordered number, net EUR")
        parser.add_argument("--vat", type=_money, default=Decimal(19), help="VAT rate in percent (19)")
        parser.add_argument("--from", dest="valid_from", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            price = prices.set_price(
                PriceClass(options["price_class"]),
                monthly=options["monthly"],
                order_fee=options["order_fee"],
                vat_rate=options["vat"],
                valid_from=options["valid_from"],
                by=NAME,
                at=timezone.now(),
            )
        except prices.PriceRefused as refused:
            raise CommandError(str(refused.reason)) from refused
        self.stdout.write(str(price))
