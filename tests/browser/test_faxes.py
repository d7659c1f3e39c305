"""The journal of faxes: a waiting one gets its number, one that was not sent is sent again, one that was is deleted."""

import io

import pytest
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from playwright.sync_api import expect

from fax.models import FaxJob
from portal import documents
from tests import make
from tests.browser.looks import faults

TO = {"destination": "+496990009123"}
WORDS = {
    "de": ("Nummer eintragen", "Fax senden", "069\u00a090009123", "Erneut senden", "Löschen", "Fax löschen"),
    "en": ("Enter number", "Send fax", "069", "Send again", "Delete", "Delete fax"),
}


@pytest.fixture
def faxes(cast, in_acme, settings, tmp_path):
    """Bob's faxes, one in each state, and one of Alice's."""
    settings.DOCUMENTS_DIR = tmp_path
    picture = io.BytesIO()
    Image.new("L", (864, 1192), 255).save(picture, "PNG")
    states = {
        "waiting": {"title": "Angebot_2026-114.pdf", "pages": 3, "document": "x"},
        "sending": TO | {"title": "Lieferschein 4711", "pages": 1},
        "sent": TO | {"title": "Vertrag Nordlicht.docx", "pages": 12, "document": "x"},
        "failed": TO | {"title": "Auftragsbestätigung", "pages": 2, "reason": "busy", "fax": "x", "document": "x"},
        "cancelled": {"title": "Testseite", "pages": 1},
    }
    with in_acme():
        number = make.number("+493023125020", state="active", usage="fax_shared")
        bob = make.member("Bob Brandt", user=cast.bob)
        make.fax_credential(number, bob, "secret")
        make.member("Alice Adler", user=cast.alice)
        for state, fields in states.items():
            ended = {"ended_at": timezone.now()} if state in ("sent", "failed", "cancelled") else {}
            preview = documents.put(io.BytesIO(picture.getvalue()), "png")
            fields |= {"number": number, "staff_member": bob, "received_at": timezone.now(), "preview": preview}
            FaxJob.objects.create(state=state, **fields, **ended)
    return states


def stands(in_acme, title):
    with in_acme():
        job = FaxJob.objects.filter(title=title).first()
        return (job.state, job.destination) if job else None


def test_a_person_follows_their_faxes(faxes, cast, visit, in_acme, manner):
    enter, send, number, again, delete, really = WORDS[manner.language]
    page = visit(cast.bob, manner.language, js=manner.js)
    page.goto(reverse("fax:faxes"))
    assert not manner.js or faults(page, "faxes") == []

    page.get_by_role("link", name=enter).click()
    page.get_by_role("textbox").fill("069 / 90009-123")
    assert not manner.js or faults(page, "waiting fax") == []
    page.get_by_role("button", name=send).click()
    expect(page.locator("main")).to_contain_text(number)
    assert stands(in_acme, "Angebot_2026-114.pdf") == ("queued", "+496990009123")

    page.goto(f"{reverse('fax:faxes')}?state=failed")
    page.get_by_role("link", name="Auftragsbestätigung").click()
    page.get_by_role("button", name=again).click()
    assert stands(in_acme, "Auftragsbestätigung")[0] == "queued"

    page.goto(reverse("fax:faxes"))
    page.get_by_role("link", name="Vertrag").click()
    assert not manner.js or faults(page, "sent fax") == []
    page.get_by_role("link", name=delete).click()
    assert not manner.js or faults(page, "deleting a fax") == []
    page.get_by_role("button", name=really).click()
    expect(page).to_have_url(page.url.split("/faxes/")[0] + reverse("fax:faxes"))
    assert stands(in_acme, "Vertrag Nordlicht.docx") is None


def test_an_administrator_sees_how_many_there_are(faxes, cast, visit):
    page = visit(cast.alice)
    page.goto(reverse("fax:faxes"))

    expect(page.get_by_role("table")).to_contain_text("Bob Brandt")
    assert faults(page, "all faxes") == []
    for title in (fields["title"] for fields in faxes.values()):
        expect(page.locator("body")).not_to_contain_text(title)
