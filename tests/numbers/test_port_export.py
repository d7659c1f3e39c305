"""An order in the words of the carriers' interface, and the list of providers."""

import json
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from numbers import port_desk, port_export, port_numbers, porting
from numbers.models import PortProvider
from tests import porting as ports
from tests.conftest import NOW


@pytest.fixture
def office(acme):
    ports.verified(acme)
    return acme


def test_an_order_of_single_numbers_is_a_vorabstimmung(office):
    order = ports.submitted(office, further_holders=["Berta Baum"], contract_ends_on=date(2026, 12, 31))

    said = json.loads(port_export.as_json(order))

    assert (said["meldung"], said["geschaeftsfall"], said["vorabstimmungsId"]) == ("VA", "VA-KUE-MRN", None)
    assert said["abgebend"] == {"name": "Beispiel D901", "portierungskennung": "D901"}
    assert (said["kundenwunschtermin"], said["wechseltermin"], said["vertragsende"]) == (
        "2026-12-08",
        None,
        "2026-12-31",
    )
    assert said["anschlussinhaber"] == {"typ": "Firma", "firmenname": "Acme GmbH", "firmenzusatz": ""}
    assert said["weitereAnschlussinhaber"] == ["Berta Baum"]
    assert said["standort"]["hausnummer"] == "12a"
    assert said["rufnummernportierung"] == {
        "typ": "Einzelrufnummern",
        "alleRufnummernPortieren": True,
        "rufnummern": [{"onkz": "30", "rufnummer": "23125710"}, {"onkz": "30", "rufnummer": "23125711"}],
    }


def test_a_block_is_a_line_with_extensions(office):
    order = ports.submitted(office, numbers=port_numbers.block("030 231257", "00", "49"), remaining="keep")

    said = port_export.message(order)

    assert said["geschaeftsfall"] == "VA-RRNP"
    assert said["rufnummernportierung"] == {
        "typ": "Anlagenanschluss",
        "onkz": "30",
        "durchwahlnummer": "231257",
        "abfragestelle": None,
        "rufnummernbloecke": [{"von": "00", "bis": "49"}],
    }


def test_a_person_has_two_names(office):
    order = ports.submitted(office, holder_kind="person", holder_name="Adler", holder_addition="Alice")

    assert port_export.message(order)["anschlussinhaber"] == {"typ": "Person", "nachname": "Adler", "vorname": "Alice"}


def test_changes_and_cancellations_are_messages_of_their_own(office):
    order = ports.confirmed(office)
    porting.ask_date(order, date(2026, 12, 15), by=office.alice, at=NOW)
    said = port_export.message(order)
    assert (said["meldung"], said["kundenwunschtermin"], said["wechseltermin"]) == ("TV", "2026-12-15", "2026-12-08")

    porting.cancel(order, by=office.alice, at=NOW)

    assert port_export.message(order)["meldung"] == "STR-AUF"


def test_every_message_of_an_order_has_a_key_of_its_own(office):
    order = ports.submitted(office)
    said = [port_export.message(order)]
    port_desk.accept(order, ports.ON, by=office.olga, at=NOW)
    for day in (15, 16):
        porting.ask_date(order, date(2026, 12, day), by=office.alice, at=NOW)
        said.append(port_export.message(order))
        port_desk.refuse_change(order, "voll", by=office.olga, at=NOW)
    port_desk.reject(order, "SON", "x", by=office.olga, at=NOW)
    porting.submit(order, by=office.alice, at=NOW)
    said.append(port_export.message(order))

    assert [one["meldung"] for one in said] == ["VA", "TV", "TV", "VA"]
    assert len({(one["meldung"], one["auftrag"]) for one in said}) == len(said)


def test_nothing_of_it_is_a_price(office):
    order = ports.submitted(office, activate=True, price_seen=Decimal("2.90"))

    text = port_export.as_json(order).lower()

    assert not any(word in text for word in ("preis", "price", "2.9", "eur"))


def command(*arguments):
    out = StringIO()
    call_command("load_providers", *arguments, stdout=out)
    return out.getvalue().strip()


def test_the_example_has_one_known_provider_and_invented_ones(db, as_operator):
    with as_operator():
        assert command() == "10 providers were added, 0 renamed."
        assert command() == "0 providers were added, 0 renamed."

        names = dict(PortProvider.objects.values_list("code", "name"))
        assert names.pop("D001") == "Telekom Deutschland GmbH"
        assert all("erfunden" in name for name in names.values())


def test_providers_are_found_by_words_and_code(db, as_operator):
    with as_operator():
        command()

        found = PortProvider.objects.matching("GLAS erdachte")
        assert [provider.code for provider in found] == ["D907"]
        assert [provider.code for provider in PortProvider.objects.matching("d90")][:1] == ["D906"]  # by name
        assert not PortProvider.objects.matching("gibtesnicht").exists()


@pytest.mark.parametrize("line", ["D12;x", "X123;x", "D123", "D123;"])
def test_a_list_with_a_bad_line_changes_nothing(db, as_operator, tmp_path, line):
    path = tmp_path / "list.csv"
    path.write_text(f"Kennung;Name\nD777;Neu GmbH\n{line}\n")

    with as_operator(), pytest.raises(CommandError, match="Line 3"):
        command(str(path))

    assert not PortProvider.objects.exists()


def test_a_newer_list_renames(db, as_operator, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("D901;Beispiel Neu GmbH\n")
    with as_operator():
        command()

        assert command(str(path)) == "0 providers were added, 1 renamed."
        assert PortProvider.objects.get(code="D901").sort_key == "beispiel neu gmbh"
