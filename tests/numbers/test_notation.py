import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from numbers import notation
from numbers.notation import Unreadable

SPELLINGS = [
    "030 / 23125-012",
    "030/23125012",
    "(030) 23125-012",
    "(0)30 23125-012",
    "0 30 23125 012",
    "030 23125\u2011012",
    "030\u00a023125\u2013012",
    "+49 30 23125-012",
    "+49 (0)30 23125012",
    "+49 (0) 30 / 23125 - 012",
    "+49(30)23125012",
    "+49 030 23125012",
    "+49-30-23125-012",
    "0049 30 23125012",
    "0049 (0)30/23125012",
    "004903023125012",
    "493023125012",
    "493.023.125.012",
    '="+493023125012"',
    '="030 23125012"',
    "'030 23125012",
    '"030 23125012"',
    "tel:+493023125012",
    "tel:+49-30-23125-012",
    "Tel.: 030 23125012",
    "Telefon 030 23125012",
    "Fax: 030 23125012",
    "\u202a+49 30 23125012\u202c",  # as Windows copies it from its contacts
    "\u200b030 23125012",
    "\uff10\uff13\uff10 \uff12\uff13\uff11\uff12\uff15\uff10\uff11\uff12",
    "  030 23125012\t",
]
MISTAKES = [
    ("", "There is no number."),
    ("   ", "There is no number."),
    ('=""', "There is no number."),
    ("4,93E+11", "A spreadsheet shortened this number; please format the column as text and export again."),
    ("4.93023125012E+11", "A spreadsheet shortened this number; please format the column as text and export again."),
    ("493023125012.0", "A spreadsheet shortened this number; please format the column as text and export again."),
    ("Zentrale", "This is not a phone number."),
    ("030 23125-O12", "This is not a phone number."),
    ("030 23125012; 030 23125013", "This is not a phone number."),
    ("+49 30 23125012 +49 30 23125013", "This is not a phone number."),
    ("23125012", "The area code is missing."),
    ("3023125012", "The area code is missing."),
    ("00221 4710300", "Only German numbers (+49) can be managed here."),
    ("+44 20 71234567", "Only German numbers (+49) can be managed here."),
    ("+4930123", "The number is too short."),
    ("+49 00 30 23125012", "This is not a phone number."),
    ("+49302312501234", "The number is too long."),
    ("0170 2312501", "Mobile and service numbers cannot be managed here."),
    ("0800 2312501", "Mobile and service numbers cannot be managed here."),
    ("032 22312501", "Mobile and service numbers cannot be managed here."),
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_parse_reads_every_usual_notation(text):
    assert notation.parse(text) == "+493023125012"


@pytest.mark.parametrize(("text", "reason"), MISTAKES)
def test_parse_says_why_it_cannot(text, reason):
    with pytest.raises(Unreadable) as refused:
        notation.parse(text)

    with translation.override("en"):
        assert str(refused.value.reason) == reason


@given(st.text(max_size=40))
def test_parse_never_fails_otherwise(text):
    try:
        e164 = notation.parse(text)
    except Unreadable:
        return
    assert e164.isascii()
    assert e164.startswith("+49")
    assert 9 <= len(e164) <= 14


@given(st.integers(0, 999))
def test_parse_reads_what_the_portal_writes(number):
    e164 = f"+493023125{number:03}"
    whole, split = {}, {"base_number": "+493023125", "extension": f"{number:03}"}

    for block in (whole, split):
        assert notation.parse(notation.national(e164, "30", **block)) == e164
        assert notation.parse(notation.international(e164, "30", **block)) == e164


def test_numbers_are_written_after_din_5008():
    block = {"base_number": "+493023125", "extension": "012"}

    assert notation.national("+493023125012", "30") == "030\u00a023125012"
    assert notation.national("+493023125012", "30", **block) == "030\u00a023125\u2011012"
    assert notation.international("+493023125012", "30", **block) == "+49\u00a030\u00a023125\u2011012"
    assert notation.national("+492214710300", "221") == "0221\u00a04710300"


def test_area_code_is_the_longest_that_is_known():
    known = {"30", "331", "3301", "33012"}

    assert notation.area_code("+493023125012", known) == "30"
    assert notation.area_code("+493311234567", known) == "331"
    assert notation.area_code("+493301945678", known) == "3301"
    assert notation.area_code("+493301245678", known) == "33012"
    assert notation.area_code("+492091234567", known) is None
