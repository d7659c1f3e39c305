"""The operator's console: the price list."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from billing import prices
from billing.models import Price, PriceClass
from portal.admin import Entered


@admin.register(Price)
class PriceAdmin(Entered):
    """Versions are added and never changed: what people were shown and charged stays."""

    kind = "price"
    list_display = ("price_class", "valid_from", "monthly", "order_fee", "vat_rate")
    list_filter = ("price_class",)
    date_hierarchy = "valid_from"
    ordering = ("price_class", "-valid_from")
    refusals = (prices.PriceRefused,)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def enter(self, obj: Any, **who_and_when: Any) -> Price:
        return prices.set_price(
            PriceClass(obj.price_class),
            monthly=obj.monthly,
            order_fee=obj.order_fee,
            vat_rate=obj.vat_rate,
            valid_from=obj.valid_from,
            **who_and_when,
        )
