import pytest
from django.urls import reverse

from portal import help as pages


def page(slug):
    return reverse("portal:help_flow", args=[slug])


@pytest.mark.parametrize("who", ["alice", "bob", "dora"])
def test_help_is_for_everybody_and_leads_to_every_flow(cast, sign_in, who):
    client = sign_in(getattr(cast, who))

    text = client.get(reverse("portal:help")).content.decode()

    for flow in pages.FLOWS:
        assert page(flow.slug) in text
        assert client.get(page(flow.slug)).status_code == 200


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        (
            "activate",
            [
                "Um eine Rufnummer nutzen zu können, müssen Sie diese aktivieren.",
                "grüne Schaltfläche in der Spalte",
                "<b>Rufnummern jetzt kostenpflichtig aktivieren</b>",
                "<b>Abbrechen</b>",
                "Status „aktiv“",
            ],
        ),
        (
            "deactivate",
            [
                "Zum Ende des Folgemonats gilt die Rufnummer als inaktiv",
                "kreisförmige, rote Symbol",
                "<b>Rufnummer jetzt deaktivieren</b>",
                "zur Deaktivierung vorgemerkt wurde",
                "Ausrufezeichens",
            ],
        ),
        ("withdraw", ["zu jeder Zeit wieder rückgängig machen", "<b>Vormerkung zurücknehmen</b>"]),
        (
            "swap",
            [
                "kostenneutral",
                "unwiderruflich gelöscht",
                "sich kreuzenden Pfeile",
                "deaktivieren (austauschen)",
                "<b>Rufnummerntausch jetzt abschließen</b>",
                "IP-Endgerät",
            ],
        ),
        ("forwarding", ["<b>Weiterleitung speichern</b>"]),
        ("calls", ["letzten drei Ziffern", "Betriebsrat", "<b>Erklären und bestellen</b>", "<b>Meine Daten</b>"]),
        ("staff", ["<b>Neuer Mitarbeiter</b>", "<b>Anlegen</b>", "sieben Tagen", "<b>Erneut einladen</b>"]),
    ],
)
def test_help_tells_the_steps_in_the_words_of_the_dialogs(cast, sign_in, slug, words):
    text = sign_in(cast.alice).get(page(slug)).content.decode()

    positions = [text.find(word) for word in words]
    assert -1 not in positions
    assert positions == sorted(positions)
    assert "<ol" in text


def test_help_names_the_operator_and_the_hotline_of_the_settings(cast, sign_in, settings):
    settings.OPERATOR_NAME, settings.OPERATOR_HOTLINE = "Südstern", "+494066969900"

    text = sign_in(cast.alice).get(page("swap")).content.decode()

    assert "Die Hotline von Südstern" in text
    assert 'href="tel:+494066969900"' in text


def test_help_of_an_unknown_flow_is_404(cast, sign_in):
    assert sign_in(cast.alice).get(page("buy")).status_code == 404


def test_help_needs_a_sign_in(client, db):
    assert client.get(page("swap")).status_code == 302
