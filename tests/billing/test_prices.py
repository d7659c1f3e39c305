from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from billing import prices
from billing.models import Price
from billing.prices import PriceRefused
from portal.models import AuditEvent

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
EVERY = {"order_fee": Decimal("4.90"), "vat_rate": Decimal("19.0"), "by": "set_price", "at": NOW}


@pytest.fixture
def operator(db, as_operator):
    with as_operator(), translation.override("en"):
        yield


def test_set_price_enters_a_version_and_leaves_a_trace(operator):
    prices.set_price("standard", monthly=Decimal("2.50"), valid_from=date(2020, 1, 1), **EVERY)
    prices.set_price("standard", monthly=Decimal("2.90"), valid_from=date(2026, 11, 24), **EVERY)

    assert prices.quote("standard", on=date(2026, 11, 23)).monthly == Decimal("2.50")
    assert prices.quote("standard", on=date(2026, 11, 24)).monthly == Decimal("2.90")
    event = AuditEvent.objects.latest("id")
    assert (event.verb, event.tenant, event.actor_name, event.before) == ("price.set", None, "set_price", {})
    assert event.after == {"monthly": "2.90", "order_fee": "4.90", "vat_rate": "19.0", "valid_from": "2026-11-24"}


def test_set_price_replaces_only_what_is_not_valid_yet(operator):
    prices.set_price("standard", monthly=Decimal("2.50"), valid_from=date(2026, 11, 22), **EVERY)
    prices.set_price("standard", monthly=Decimal("29.00"), valid_from=date(2027, 1, 1), **EVERY)

    prices.set_price("standard", monthly=Decimal("2.90"), valid_from=date(2027, 1, 1), **EVERY)
    for day in (date(2026, 11, 22), date(2026, 11, 23), date(2026, 1, 1)):
        with pytest.raises(PriceRefused, match="tomorrow at the earliest"):
            prices.set_price("standard", monthly=Decimal("9.99"), valid_from=day, **EVERY)

    assert list(Price.objects.order_by("valid_from").values_list("monthly", flat=True)) == [
        Decimal("2.50"),
        Decimal("2.90"),
    ]
    assert AuditEvent.objects.latest("id").before["monthly"] == "29.00"


@pytest.mark.parametrize("monthly", ["-0.01", "2.905"])
def test_set_price_refuses_what_is_no_price(operator, monthly):
    with pytest.raises(PriceRefused):
        prices.set_price("standard", monthly=Decimal(monthly), valid_from=date(2026, 1, 1), **EVERY)

    assert not Price.objects.exists()


def test_setting_the_same_price_twice_leaves_one_event(operator):
    for _ in range(2):
        prices.set_price("standard", monthly=Decimal("2.50"), valid_from=date(2027, 1, 1), **EVERY)

    assert AuditEvent.objects.count() == 1


def test_set_price_command_takes_a_german_comma_and_says_what_it_refuses(operator, capsys):
    call_command("set_price", "standard", "2,90", "--from=2020-01-01", "--order-fee=4,90")

    assert capsys.readouterr().out == "standard 2.90 EUR (2020-01-01)\n"
    with pytest.raises(CommandError, match="tomorrow at the earliest"):
        call_command("set_price", "standard", "3.10", "--from=2020-02-01")
    with pytest.raises(CommandError, match="invalid amount value"):
        call_command("set_price", "standard", "much", "--from=2020-02-01")


def test_prorated_by_the_day_half_up():
    assert prices.prorated(Decimal("2.90"), date(2026, 12, 15)) == Decimal("1.59")
    assert prices.prorated(Decimal("2.90"), date(2026, 12, 1)) == Decimal("2.90")
    assert prices.prorated(Decimal("2.90"), date(2026, 12, 31)) == Decimal("0.09")
    assert prices.prorated(Decimal("0.31"), date(2026, 12, 17)) == Decimal("0.15")
    assert prices.prorated(Decimal("0.62"), date(2028, 2, 15)) == Decimal("0.32")
    assert prices.prorated(Decimal("0.03"), date(2026, 11, 26)) == Decimal("0.01")  # half a cent
    assert prices.gross(Decimal("2.90"), Decimal("19.0")) == Decimal("3.45")
    assert prices.gross(Decimal("1.50"), Decimal("19.0")) == Decimal("1.79")  # 1.785


def test_quotes_say_which_class_has_no_price(operator):
    prices.set_price("standard", monthly=Decimal("2.50"), valid_from=date(2026, 1, 1), **EVERY)

    with pytest.raises(prices.NoPrice, match="premium"):
        prices.quotes({"standard", "premium"}, on=date(2026, 11, 23))
    with pytest.raises(prices.NoPrice, match="standard"):
        prices.quote("standard", on=date(2025, 12, 31))
