"""What the demo's tenants have: numbers from the ranges reserved for film and television only (rule N3)."""

from dataclasses import dataclass

from billing.models import PriceClass
from numbers.models import Usage


@dataclass(frozen=True, slots=True)
class Site:
    """The numbers of one place: a block with extensions (`base`), or single numbers (`base` ends before the digits).

    `month` counts from the beginning of the story.
    """

    city: str
    area_code: str
    base: str
    first: int
    labels: tuple[str, ...]
    month: int
    is_block: bool = True

    def e164s(self) -> list[str]:
        return [f"{self.base}{self.first + position:03}" for position in range(len(self.labels))]


BERLIN = Site(
    "Berlin",
    "30",
    "+493023125",
    0,
    (
        *("Zentrale", "Empfang", "Geschäftsführung", "Assistenz Geschäftsführung", "Vertrieb Innendienst 1"),
        *("Vertrieb Innendienst 2", "Vertrieb Innendienst 3", "Vertrieb Außendienst", "Vertrieb Export"),
        *("Kundenservice 1", "Kundenservice 2", "Kundenservice 3", "Kundenservice 4", "Reklamationen"),
        *("Buchhaltung Debitoren", "Buchhaltung Kreditoren", "Controlling", "Mahnwesen", "Fax Buchhaltung"),
        *("Personalabteilung", "Lohn und Gehalt", "Ausbildung", "Bewerbungen", "Fax Personal"),
        *("Einkauf Rohstoffe", "Einkauf Technik", "Einkauf Büro", "Lieferantenservice", "IT-Support"),
        *("IT-Bereitschaft", "Netzwerk und Server", "Datenschutz", "Rechtsabteilung", "Marketing"),
        *("Presse", "Messen und Veranstaltungen", "Qualitätssicherung", "Prüflabor", "Entwicklung Mechanik"),
        *("Entwicklung Software", "Konstruktion", "Musterbau", "Werkstatt", "Haustechnik", "Pforte Nord"),
        *("Pforte Süd", "Warenannahme", "Versand", "Fax Versand", "Konferenzraum Spree"),
        *("Konferenzraum Havel", "Konferenz Projektleitung", "Betriebsrat", "Betriebsärztin", "Kantine"),
        *("", "", "", "Alarmanlage alt", "Aufzug alt", "Testanschluss alt"),
    ),
    month=0,
)
FRANKFURT = Site(
    "Frankfurt am Main",
    "69",
    "+496990009",
    100,
    (
        *("Empfang Frankfurt", "Leitung Frankfurt", "Vertrieb Mitte 1", "Vertrieb Mitte 2", "Vertrieb Mitte 3"),
        *("Finanzierung", "Leasing", "Kundenservice Mitte", "Technik Mitte", "Lager Frankfurt"),
        *("Fax Frankfurt", "Konferenzraum Main", "Messebüro", "Außenlager Höchst", "", "", ""),
        *("Filiale Sachsenhausen", "Filiale Sachsenhausen Fax", "Filiale Sachsenhausen Leitung"),
    ),
    month=0,
)
HAMBURG = Site(
    "Hamburg",
    "40",
    "+494066969",
    200,
    (
        *("Empfang Hamburg", "Leitung Hamburg", "Seefracht", "Zoll", "Spedition", "Disposition 1", "Disposition 2"),
        *("Lager Hafen", "Kranführung", "Fax Hafen", "Konferenzraum Elbe", "Vertrieb Nord 1", "Vertrieb Nord 2"),
        *("", "", ""),
    ),
    month=3,
)
COLOGNE = Site(
    "Köln",
    "221",
    "+492214710",
    300,
    (
        *("Empfang Köln", "Leitung Köln", "Vertrieb West 1", "Vertrieb West 2", "Ersatzteile", "Schulungszentrum"),
        *("Konferenzraum Rhein", "Fax Köln", "", ""),
    ),
    month=6,
)
COLOGNE_PORTING = Site(
    "Köln",
    "221",
    "+492214710",
    310,
    ("Übernahme Müller & Söhne", "Müller & Söhne Büro", "Müller & Söhne Werkstatt", "Müller & Söhne Fax"),
    month=13,
)
MUNICH = Site(
    "München",
    "89",
    "+498999998",
    400,
    (
        *("Büro München", "Leitung München", "Vertrieb Süd 1", "Vertrieb Süd 2", "Vertrieb Süd 3"),
        *("Kundenservice Süd", "Fax München", "Konferenz Isar", "", ""),
    ),
    month=8,
    is_block=False,
)
ACME_SITES = (BERLIN, FRANKFURT, HAMBURG, COLOGNE, MUNICH)
GLOBEX_SITE = Site(
    "München",
    "89",
    "+498999998",
    500,
    (
        *("Zentrale", "Empfang", "Vertrieb", "Kundenservice", "Buchhaltung", "Technik", "Lager", "Fax"),
        *("Konferenzraum Alpen", "Geschäftsführung", "", "", "", "", ""),
    ),
    month=2,
)
PREMIUM = frozenset({"+493023125000", "+493023125055", "+496990009100", "+494066969200"})
NOTES = {
    "+493023125009": "Nummer steht auf allen Lieferscheinen.",
    "+493023125013": "Läuft im Januar über die Warteschleife.",
    "+493023125028": "Bereitschaft: montags bis freitags, 7 bis 19 Uhr.",
    "+493023125044": "Klingelt zusätzlich am Schreibtisch der Haustechnik.",
    "+494066969207": "Halle 4, bitte lange klingeln lassen.",
    "+492214710304": "Ersatzteile für alle Standorte.",
    "+498999998402": "Nummer ist auf den Fahrzeugen aufgedruckt.",
}


def usage_of(label: str) -> Usage:
    """Return the usage that a label speaks of."""
    if "Fax" in label:
        return Usage.FAX_PERSONAL if "Personal" in label or "Leitung" in label else Usage.FAX_SHARED
    return Usage.CONFERENCE if label.startswith("Konferenz") else Usage.VOICE


def price_class_of(e164: str) -> PriceClass:
    return PriceClass.PREMIUM if e164 in PREMIUM else PriceClass.STANDARD
