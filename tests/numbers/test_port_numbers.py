"""What people enter as numbers of a port order: single ones in any notation, or a block."""

import pytest

from numbers import port_numbers
from numbers.port_numbers import NumbersRefused
from tests import porting as ports


@pytest.fixture
def office(acme):
    ports.verified(acme)
    return acme


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0171 2345678", "Mobilfunk"),
        ("+43 1 58858", "deutsche"),
        ("030 231", "zu kurz"),
        ("23125710", "Vorwahl"),
        ("keine Nummer", "keine Rufnummer"),
        ("", "Rufnummern ein"),
    ],
)
def test_numbers_that_cannot_be_ported_are_refused_as_they_are_read(office, text, said):
    with pytest.raises(NumbersRefused) as refused:
        port_numbers.singles(text)

    assert said in str(refused.value.problems[0].sentence)
    assert refused.value.field == "numbers"


def test_numbers_are_read_in_any_notation_and_once():
    numbers = port_numbers.singles("030 / 23125-710, +49 (0)30 23125711;\n 0049 30 23125710 \n\n")

    assert numbers.e164s == ports.NUMBERS


def test_a_block_is_base_number_range_and_pilot():
    numbers = port_numbers.block("030 2312", "10", "99", "0")

    assert (numbers.base_number, numbers.first, numbers.last, numbers.pilot) == ("+49302312", "10", "99", "0")
    assert len(numbers.e164s) == 91
    assert (numbers.e164s[0], numbers.e164s[1], numbers.e164s[-1]) == ("+493023120", "+4930231210", "+4930231299")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (("030 23125", "00", "9", ""), "range_until"),
        (("030 23125", "000", "1000", ""), "range_until"),
        (("030 23125", "0000", "9999", ""), "range_from"),
        (("030 23125", "", "", ""), "range_from"),
        (("030 23125", "99", "00", ""), "range_until"),
        (("030 23125", "x", "99", ""), "range_from"),
        (("030 23125", "10", "99", "1"), "pilot"),
        (("030 23", "000", "999", "0"), "pilot"),
        (("030 23125", "00", "99", "123"), "pilot"),
        (("030 23125", "000", "999", "00"), "pilot"),
        (("030 23125", "000", "099", "00"), "pilot"),
        (("0171 23125", "00", "99", ""), "base_number"),
        (("", "00", "99", ""), "base_number"),
    ],
)
def test_a_block_that_cannot_be_is_refused_at_its_field(given, field):
    with pytest.raises(NumbersRefused) as refused:
        port_numbers.block(*given)

    assert [problem.field for problem in refused.value.problems] == [field]


@pytest.mark.parametrize(("first", "last", "count"), [("00", "99", 101), ("000", "999", 1001), ("0", "9", 10)])
def test_a_block_whose_switchboard_is_0_may_begin_with_it(first, last, count):
    numbers = port_numbers.block("030 23125", first, last, "0")

    assert len(numbers.e164s) == len(set(numbers.e164s)) == count
    assert "+4930231250" in numbers.e164s


def test_a_switchboard_that_no_other_extension_begins_with_is_a_number_of_its_own():
    numbers = port_numbers.block("030 23125", "100", "199", "00")

    assert (len(numbers.e164s), numbers.e164s[0]) == (101, "+493023125" + "00")


def test_base_number_that_is_missing_is_asked_for():
    with pytest.raises(NumbersRefused, match="Bitte geben Sie die Stammnummer ein"):
        port_numbers.block(" ", "00", "99")


def test_holes_in_a_list_that_is_meant_as_a_block_are_named():
    text = "\n".join(f"030 2312570{n}" for n in range(10) if n not in (3, 7))

    assert port_numbers.holes(text) == ["+493023125703", "+493023125707"]
    assert port_numbers.holes("030 23125700, 030 23125701") == []
    assert port_numbers.holes("\n".join(f"030 23125{n}" for n in range(100, 350))) == []
    with pytest.raises(NumbersRefused, match=r"auseinander.*Stammnummer"):
        port_numbers.holes("030 23125700, 030 23127700")
