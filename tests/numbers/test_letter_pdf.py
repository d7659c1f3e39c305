"""Where each character of a PIN letter stands (rule V4): measured in the PDF, in mm from its upper left edge."""

import random
import socketserver
import threading
from datetime import date

import pypdfium2
import pytest

from numbers import letter_pdf, window
from numbers.letter_pdf import Sheet
from numbers.models import Address

MM = 72 / 25.4
PIN = "7K3M-Q9XD"
WINDOW = (20, 45, 105, 90)  # left, top, right, bottom
SHIFT, MARGIN = 2, 2
FOLD = 105


def sheet(lines, *, pin=PIN, language="de", customer="Acme GmbH"):
    return Sheet(1, customer, "K-10001", lines, "Berlin (030)", language, pin)


def pages(*sheets):
    """Return the letters' pages, without the cover."""
    document = pypdfium2.PdfDocument(letter_pdf.batch(7, sheets, on=date(2026, 11, 23)))
    return list(document)[-len(sheets) :]


def boxes(page):
    """Return (character, left, top, right, bottom) of every visible character."""
    text, height = page.get_textpage(), page.get_height()
    found = []
    for place in range(text.count_chars()):
        sign = text.get_text_range(place, 1)
        if sign.strip():
            left, bottom, right, top = text.get_charbox(place)
            found.append((sign, left / MM, (height - top) / MM, right / MM, (height - bottom) / MM))
    return found


def behind_the_window(found):
    """Return the characters that show in the window, wherever the paper shifts to."""
    left, top, right, bottom = WINDOW
    return [
        box
        for box in found
        if left - SHIFT < box[3] and box[1] < right + SHIFT and top - SHIFT < box[4] and box[2] < bottom + SHIFT
    ]


def outside(found):
    """Return the characters that come nearer than the margin to the window's edge when the paper shifts."""
    left, top, right, bottom = WINDOW
    room = SHIFT + MARGIN
    return [
        box
        for box in found
        if box[1] < left + room or box[3] > right - room or box[2] < top + room or box[4] > bottom - room
    ]


def address_of(page):
    return [box for box in behind_the_window(boxes(page)) if box[2] > 62]


def test_the_page_is_a4_and_each_letter_one_page():
    [first, second] = pages(sheet(["Acme GmbH", "10115 Berlin"]), sheet(["Globex AG", "80331 München"]))

    for page in (first, second):
        assert (round(page.get_width() / MM), round(page.get_height() / MM)) == (210, 297)


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_address_stands_in_the_window_with_two_millimetres_to_spare(language):
    lines = ["Müßiggang & Söhne GmbH", "Abteilung Einkauf", "Größenweg 12a", "10115 Berlin"]
    [page] = pages(sheet(lines, language=language))

    found = behind_the_window(boxes(page))

    assert outside(found) == []
    written = "".join(box[0] for box in address_of(page))
    assert written == "".join(lines).replace(" ", "")
    assert min(box[2] for box in address_of(page)) >= 62.7
    assert abs(min(box[1] for box in found) - 25) < 0.6


@pytest.mark.parametrize("language", ["de", "en"])
def test_no_sign_of_the_pin_stands_in_the_panel_behind_the_window(language):
    [page] = pages(sheet(["Acme GmbH", "10115 Berlin"], language=language))
    found = boxes(page)

    below = [box for box in found if box[2] > FOLD + 5]
    text = "".join(box[0] for box in below)
    above = "".join(box[0] for box in found if box[2] <= FOLD + 5)

    assert PIN in text
    assert PIN not in above
    start = text.index(PIN)
    assert all(abs(box[2] - below[start][2]) < 8 for box in below[start : start + 9])


def test_everything_stays_on_the_page():
    longest = Sheet(1, "W" * 120, "K-10001", ["W" * 19] * 6, "Castrop-Rauxel (02305)", "en", PIN)
    [page] = pages(longest)

    assert [box for box in boxes(page) if not (box[1] >= 5 and box[3] <= 205 and box[2] >= 5 and box[4] <= 292)] == []


WORDS = (
    *("Müller", "Straßenbau", "Café", "GmbH & Co. KGaA", "Łódź", "Ğüneş", "Ærø", "ẞ", "<b>fett</b>", "&amp;"),
    *(
        "<img src=http://127.0.0.1:9/x>",
        '"><script>',
        "🚀",
        "\u202eהפוך",
        "\u200f",
        "Жук",
        "東京",
        "WWWWWWWW",
        "iiiiiiii",
    ),
    *("Donaudampfschifffahrtsgesellschaftskapitän", "c/o", "1. OG", "{{ pin }}", "'; DROP TABLE", "a\u0308rger", "—"),
)


def nasty(seed):
    """Return an address as somebody might try to enter it, from short to far too long."""
    chosen = random.Random(seed)

    def some(most):
        return window.tidy(" ".join(chosen.choices(WORDS, k=chosen.randint(1, most))))[:80] or "x"

    return Address(
        company=some(4),
        extra=some(3) if seed % 3 else "",
        street=some(2),
        house_number="12a",
        postcode="10115",
        town=some(2),
    )


def test_of_many_nasty_addresses_none_is_clipped_and_what_does_not_fit_goes_to_review(scale):
    lines = [window.lines(nasty(seed)) for seed in range(scale(200))]
    fitting = [one for one in lines if window.fits(one)]
    assert 0 < len(fitting) < len(lines)

    found = [page for start in range(0, len(fitting), 50) for page in pages(*map(sheet, fitting[start : start + 50]))]

    for one, page in zip(fitting, found, strict=True):
        assert outside(behind_the_window(boxes(page))) == []
        assert "".join(box[0] for box in address_of(page)) == "".join("".join(one).split())


@pytest.mark.parametrize(
    ("lines", "fit"),
    [
        (["Acme GmbH", "Musterstraße 12a", "10115 Berlin"], True),
        (["x"] * 6, True),
        (["x"] * 7, False),
        ([], False),
        (["", "10115 Berlin"], False),
        (["W" * 19], True),
        (["W" * 40], False),
        (["i" * 60], True),
        (["Rakete 🚀"], False),
        (["umgekehrt \u202e"], False),
        (["<b>fett</b>"], True),
    ],
)
def test_fits_says_what_can_be_printed_as_it_is(lines, fit):
    assert window.fits(lines) is fit


def test_nothing_is_fetched_whatever_a_company_is_called(socket_enabled):
    asked = []

    class Listening(socketserver.BaseRequestHandler):
        def handle(self):
            asked.append(self.client_address)

    with socketserver.TCPServer(("127.0.0.1", 0), Listening) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        evil = f"<img src={address}/x><link rel=stylesheet href={address}/y><style>@import '{address}/z'</style>"
        [page] = pages(sheet([evil, evil], customer=evil))
        server.shutdown()

    assert asked == []
    assert "<img" in page.get_textpage().get_text_range()
