"""The sum of a month against an oracle that walks through it day by day with fractions."""

import random
from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest

from billing import costs, prices
from billing.costs import Place, Version
from billing.models import Slot, SlotMove

NOVEMBER = date(2026, 11, 1)
LIST = [Version("standard", date(2020, 1, 1), Decimal("2.90"), Decimal("19.0"))]


def half_up(value: Fraction) -> Fraction:
    return Fraction(floor(value * 100 + Fraction(1, 2)), 100)


def oracle(year, month, places, versions):
    """Return (slots, net, VAT, gross) of a month as fractions: one slot after the other, one day after the other."""
    days = [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]
    slots, nets = 0, {}
    for place in places:
        paid = [day for day in days if place.from_on <= day and (place.until_on is None or day < place.until_on)]
        if not paid:
            continue
        in_force = None
        for version in versions:
            if version.price_class == place.price_class and version.valid_from <= paid[0]:
                in_force = version if in_force is None or version.valid_from > in_force.valid_from else in_force
        share = sum((Fraction(1, len(days)) for _ in paid), Fraction(0))
        one = half_up(Fraction(in_force.monthly) * share)
        slots += place.count
        rate = Fraction(in_force.vat_rate)
        nets[rate] = nets.get(rate, Fraction(0)) + one * place.count
    net = sum(nets.values(), Fraction(0))
    vat = sum((half_up(net * rate / 100) for rate, net in nets.items()), Fraction(0))
    return slots, net, vat, net + vat


def random_versions(dice):
    versions = []
    for name in ("standard", "premium"):
        days = {date(2020, 1, 1)} | {
            date(2024, 1, 1) + timedelta(dice.randrange(1200)) for _ in range(dice.randrange(4))
        }
        versions += [
            Version(name, day, Decimal(dice.randrange(0, 2000)) / 100, dice.choice([Decimal("19.0"), Decimal("7.5")]))
            for day in days
        ]
    dice.shuffle(versions)
    return versions


def random_place(dice):
    from_on = date(2024, 1, 1) + timedelta(dice.randrange(1200))
    until_on = None
    if dice.random() < 0.5:  # a slot ends with a month, at the earliest the one it begins in
        month = from_on.year * 12 + from_on.month + dice.randrange(0, 8)
        until_on = date(month // 12, month % 12 + 1, 1)
    return Place(dice.choice(["standard", "premium"]), from_on, until_on, dice.choice([1, 1, 1, 2, 40]))


@pytest.mark.parametrize("seed", [2026, None])
def test_month_equals_a_count_day_by_day(scale, seed):
    seed = seed or random.randrange(10**9)
    print("seed", seed)
    dice = random.Random(seed)
    for _ in range(scale(5_000)):
        versions, places = random_versions(dice), [random_place(dice) for _ in range(dice.randrange(0, 12))]
        first = date(dice.choice([2024, 2025, 2026, 2027]), dice.randrange(1, 13), 1)

        bill = costs.month(first, places, versions)

        found = (bill.slots, Fraction(bill.net), Fraction(sum(bill.vat.values())), Fraction(bill.gross))
        assert found == oracle(first.year, first.month, places, versions)


@pytest.mark.parametrize(
    ("from_on", "until_on", "net"),
    [
        (date(2026, 11, 1), None, "2.90"),
        (date(2026, 11, 14), None, "1.64"),  # 17 of 30 days
        (date(2026, 11, 30), None, "0.10"),
        (date(2026, 3, 1), date(2026, 12, 1), "2.90"),
        (date(2026, 11, 14), date(2026, 12, 1), "1.64"),
        (date(2026, 3, 1), date(2026, 11, 1), "0"),
        (date(2026, 12, 1), None, "0"),
        (date(2026, 11, 14), date(2026, 11, 14), "0"),
    ],
)
def test_month_charges_the_beginning_by_the_day_and_the_end_whole(from_on, until_on, net):
    assert costs.month(NOVEMBER, [Place("standard", from_on, until_on)], LIST).net == Decimal(net)


def test_month_takes_the_price_of_the_first_charged_day():
    raised = [*LIST, Version("standard", date(2026, 11, 10), Decimal("6.00"), Decimal("19.0"))]
    old, new = Place("standard", date(2026, 1, 5), None), Place("standard", date(2026, 11, 16), None)

    assert costs.month(NOVEMBER, [old], raised).net == Decimal("2.90")
    assert costs.month(NOVEMBER, [new], raised).net == Decimal("3.00")
    assert costs.month(date(2026, 12, 1), [old, new], raised).net == Decimal("12.00")


def test_month_puts_vat_on_the_total_not_on_each_line():
    bill = costs.month(NOVEMBER, [Place("standard", date(2026, 1, 1), None, count=3)], LIST)

    assert (bill.net, bill.vat, bill.gross) == (Decimal("8.70"), {Decimal("19.0"): Decimal("1.65")}, Decimal("10.35"))


def test_month_without_a_price_is_an_error_not_a_gift():
    with pytest.raises(prices.NoPrice):
        costs.month(NOVEMBER, [Place("premium", date(2026, 1, 1), None)], LIST)


def test_lines_name_the_label_of_their_month(acme):
    slot = Slot.objects.create(label="+494066969010", price_class="standard", from_on=date(2026, 9, 1))
    SlotMove.objects.create(
        slot=slot, on=date(2026, 11, 16), from_label="+496990009012", to_label="+494066969010", tenant_id=acme.acme.pk
    )

    def shown(month):
        [line] = costs.lines(costs.charged(month), month, costs.versions())
        return line.label, line.moved, line.charge.net

    assert shown(date(2026, 10, 1)) == ("+496990009012", [], Decimal("2.90"))
    assert shown(NOVEMBER) == ("+494066969010", [(date(2026, 11, 16), "+496990009012")], Decimal("2.90"))
    assert shown(date(2026, 12, 1)) == ("+494066969010", [], Decimal("2.90"))


def test_a_late_job_changes_no_bill(acme):
    """The end is fixed when the deactivation is scheduled; the state that a job writes plays no part."""
    Slot.objects.create(
        label="+496990009012", price_class="standard", from_on=date(2026, 3, 1), until_on=date(2026, 11, 1)
    )

    sums = [costs.month(date(2026, m, 1), costs.places(), costs.versions()).net for m in (9, 10, 11, 12)]

    assert sums == [Decimal("2.90"), Decimal("2.90"), Decimal(0), Decimal(0)]
