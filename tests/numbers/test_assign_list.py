"""Many numbers to many people by a list: every line is named before anything happens (rules A1 and G5)."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from numbers import assign_list, assignment, bulk, holders
from numbers.assign_list import Kind
from numbers.models import Assignment, BulkItem, BulkRun, PhoneNumber
from portal.models import OutboxMessage
from staff.models import StaffMember
from tests import make
from tests.conftest import NOW
from tests.numbers.confirming import said, send, text, within

URL = "/numbers/assign/"


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def scene(cast):
    """Numbers in every state, Berta who has one of them, Curt, and Locked Lotte; one number of Globex."""
    with within(cast.acme, cast.alice):
        free = make.number("+493023125010", state="active")
        held = make.number("+493023125011", state="active")
        make.number("+493023125012")
        make.number("+493023125013", state="port_in_pending")
        berta = make.member("Berta Baum", email="berta@acme.example")
        make.member("Curt Cramer", email="curt@acme.example")
        make.member("Lotte Loos", email="lotte@acme.example", state="locked")
        rows = PhoneNumber.objects.locked([held.pk])
        assignment.assign(rows, staff_member=berta, by=cast.alice, at=NOW - timedelta(days=9))
    with within(cast.globex, cast.carl):
        make.number("+493023125014", state="active")
        make.member("Xaver Xylo", email="xaver@globex.example")
    return free, held


LINES = (
    ("030 23125-010", "Berta@acme.example", Kind.NEW, ""),
    ("+49 (0)30 23125011", "curt@acme.example", Kind.TAKES, "Zurzeit bei Berta Baum."),
    ("030 23125-011", "berta@acme.example", Kind.ERROR, "Dieselbe Rufnummer steht schon in Zeile 3."),
    ("030 23125-012", "curt@acme.example", Kind.ERROR, "Nur aktive Rufnummern können zugeordnet werden"),
    ("030 23125-013", "curt@acme.example", Kind.ERROR, "Die Rufnummer wird gerade portiert"),
    ("030 23125-014", "curt@acme.example", Kind.ERROR, "Diese Rufnummer gehört nicht zu Ihrem Bestand."),
    ("030 23125-099", "curt@acme.example", Kind.ERROR, "Diese Rufnummer gehört nicht zu Ihrem Bestand."),
    ("Zentrale", "curt@acme.example", Kind.ERROR, "Das ist keine Rufnummer."),
    ("030 23125-098", "", Kind.ERROR, "Die E-Mail-Adresse fehlt."),
    ("030 23125-097", "xaver@globex.example", Kind.ERROR, "Keiner Ihrer Mitarbeiter hat diese E-Mail-Adresse."),
    ("030 23125-096", "lotte@acme.example", Kind.ERROR, "gesperrt"),
)


def written(*lines, header="Rufnummer;E-Mail", separator=";"):
    return "\r\n".join([header, *(separator.join(line[:2]) for line in lines)]).encode()


def upload(client, cast, content):
    return send(client, URL, cast.acme, file=SimpleUploadedFile("liste.csv", content))


def held_by(cast):
    with within(cast.acme, cast.alice):
        rows = holders.present(NOW + timedelta(seconds=1)).order_by("number__e164")
        return list(rows.values_list("number__e164", "staff_member__name"))


BEFORE = [("+493023125011", "Berta Baum")]


def test_check_names_what_would_become_of_each_line_and_changes_nothing(cast, sign_in, scene):
    page = text(upload(sign_in(cast.alice), cast, written(*LINES)))

    with within(cast.acme, cast.alice):
        found = assign_list.check(assign_list.read(written(*LINES)), at=NOW)
    assert [(f.at, f.kind) for f in found] == [(place, line[2]) for place, line in enumerate(LINES, 2)]
    for *_written, reason in LINES:
        assert reason in page
    assert "Xaver Xylo" not in page
    assert held_by(cast) == BEFORE
    with within(cast.acme, cast.alice):
        assert not BulkRun.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffRufnummer;E-Mail\r\n030 23125-010;curt@acme.example\r\n".encode(),
        'Mitarbeiter,Bezeichnung,Rufnummer\ncurt@acme.example,Büro,"=""+493023125010"""\n'.encode("cp1252"),
        "0049 30 23125010\tcurt@acme.example\n".encode("utf-16"),
        b"Phone number;Assigned to\n'+49 30 23125-010;CURT@acme.example\n\n",
    ],
    ids=["utf-8", "columns swapped, Windows", "without titles, UTF-16", "English, quoted"],
)
def test_read_takes_lists_as_spreadsheets_write_them(acme, content):
    make.number("+493023125010", state="active")
    make.member("Curt Cramer", email="curt@acme.example")

    [found] = assign_list.check(assign_list.read(content), at=NOW)

    assert (found.kind, found.name) == (Kind.NEW, "Curt Cramer")


def test_check_leaves_alone_what_is_so_already_and_lets_a_shared_fax_have_one_more(acme):
    fax = make.number("+493023125010", state="active", usage="fax_shared")
    berta, curt = make.member("Berta", email="b@acme.example"), make.member("Curt", email="c@acme.example")
    assignment.assign(PhoneNumber.objects.locked([fax.pk]), staff_member=berta, by=acme.alice, at=NOW)
    made = {"at": NOW + timedelta(seconds=1)}

    [same] = assign_list.check(assign_list.read(b"030 23125-010;b@acme.example"), **made)
    [more] = assign_list.check(assign_list.read(b"030 23125-010;c@acme.example"), **made)

    assert (same.kind, same.pair) == (Kind.UNCHANGED, None)
    assert (more.kind, more.pair) == (Kind.NEW, (fax.pk, curt.pk))


def test_confirming_assigns_the_good_lines_and_shows_a_result_per_number(cast, sign_in, scene):
    client = sign_in(cast.alice)
    page = upload(client, cast, written(*LINES)).content.decode()
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)[1]

    answer = send(client, URL, cast.acme, sealed=sealed)

    assert held_by(cast) == [("+493023125010", "Berta Baum"), ("+493023125011", "Curt Cramer")]
    result = text(client.get(answer.headers["Location"]))
    assert "Für 2 von 2 Rufnummern erledigt." in result
    assert "Curt Cramer" in result
    rows = b"".join(client.get(answer.headers["Location"] + "result.csv")).decode().splitlines()
    assert rows[1] == '"=""+493023125010""";;Berta Baum;erledigt;'
    with within(cast.acme, cast.alice):
        sent = OutboxMessage.objects.values_list("template", "recipient")
        assert ("numbers/assigned", "curt@acme.example") in sent
        assert ("numbers/unassigned", "berta@acme.example") in sent


def test_confirming_twice_runs_once(cast, sign_in, scene):
    client = sign_in(cast.alice)
    page = upload(client, cast, written(LINES[0])).content.decode()
    fields = {"sealed": re.search(r'name="sealed" value="([^"]+)"', page)[1]}
    fields["operation_id"] = "8a0b6f0e-34a4-4c43-9a6c-0d2f8c6f0b21"

    answers = [send(client, URL, cast.acme, **fields) for _ in range(2)]

    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    with within(cast.acme, cast.alice):
        assert BulkRun.objects.count() == 1


@pytest.mark.parametrize("later", [timedelta(hours=2), None], ids=["too late", "altered"])
def test_confirming_what_was_not_shown_asks_again(cast, sign_in, scene, later):
    client = sign_in(cast.alice)
    page = upload(client, cast, written(LINES[0])).content.decode()
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)[1]
    with time_machine.travel(NOW + (later or timedelta()), tick=False):
        answer = send(sign_in(cast.alice), URL, cast.acme, sealed=sealed if later else f"x{sealed}")

    assert answer.status_code == 422
    assert "Bitte wählen Sie die Datei erneut aus." in text(answer)
    assert held_by(cast) == BEFORE


def test_a_list_of_another_tenant_is_no_list(cast, sign_in, scene):
    page = upload(sign_in(cast.alice), cast, written(LINES[0])).content.decode()
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)[1]

    assert send(sign_in(cast.carl), URL, cast.globex, sealed=sealed).status_code == 422


def test_who_was_locked_after_the_check_is_refused_by_name(cast, sign_in, scene):
    client = sign_in(cast.alice)
    page = upload(client, cast, written(LINES[0])).content.decode()
    with within(cast.acme, cast.alice):
        StaffMember.objects.filter(name="Berta Baum").update(state="locked")

    send(client, URL, cast.acme, sealed=re.search(r'name="sealed" value="([^"]+)"', page)[1])

    with within(cast.acme, cast.alice):
        assert list(BulkItem.objects.values_list("outcome", "reason")) == [("refused", "person_locked")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Die Datei ist leer."),
        (b"PK\x03\x04rest", "Bitte speichern Sie sie als CSV"),
        (b"Rufnummer;Farbe\n030 23125-010;rot\n", "Bitte benennen Sie die Spalten in der ersten Zeile"),
        (b"Rufnummer;E-Mail\n" + b"1;a\n" * 10_001, "mehr als 10.000 Zeilen"),
    ],
    ids=["empty", "workbook", "columns", "lines"],
)
def test_a_file_that_is_no_list_is_refused_at_its_field(cast, sign_in, content, sentence):
    answer = upload(sign_in(cast.alice), cast, content)

    assert answer.status_code == 422
    assert sentence in text(answer)


def test_a_large_list_is_the_workers(cast, sign_in, monkeypatch):
    rung = []
    monkeypatch.setattr("portal.wake.later", rung.append)
    with within(cast.acme, cast.alice):
        make.member("Curt Cramer", email="curt@acme.example")
        numbers = make.numbers(bulk.AT_ONCE + 1, state="active")
    client = sign_in(cast.alice)
    page = upload(client, cast, written(*[(n.e164, "curt@acme.example") for n in numbers])).content.decode()

    answer = send(client, URL, cast.acme, sealed=re.search(r'name="sealed" value="([^"]+)"', page)[1])

    assert "0 von 101 Rufnummern bearbeitet" in text(client.get(answer.headers["Location"]))
    assert rung == ["numbers.tasks.continue_bulk_runs"]
    bulk.continue_open(at=NOW)
    with within(cast.acme, cast.alice):
        assert Assignment.objects.count() == 101


def test_lists_are_for_administrators(cast, sign_in):
    assert sign_in(cast.bob).get(URL).status_code == 403
    assert upload(sign_in(cast.dora), cast, written()).status_code == 403


# By selection in the overview.


def test_bulk_assign_says_who_has_the_numbers_and_gives_them_to_one_person(cast, sign_in, scene):
    client = sign_in(cast.alice)
    with within(cast.acme, cast.alice):
        curt = StaffMember.objects.get(name="Curt Cramer")

    page = text(client.get("/numbers/bulk/?verb=assign&everything=all"))
    for part in (
        *("1 werden zugeordnet; zurzeit nutzt sie niemand", "1 wechseln den Nutzer", "Wer sie zurzeit nutzt"),
        *("1 Berta Baum", "1 lassen sich nicht zuordnen: nicht aktiv", "Rufnummern zuordnen an", "Speichern"),
    ):
        assert part in page
    answer = send(client, "/numbers/bulk/", cast.acme, verb="assign", everything="all", changing=2, to=curt.pk)

    assert held_by(cast) == [("+493023125010", "Curt Cramer"), ("+493023125011", "Curt Cramer")]
    assert "Für 2 von 4 Rufnummern erledigt." in text(client.get(answer.headers["Location"]))


@pytest.mark.parametrize(
    ("to", "sentence"),
    [("", "Bitte wählen Sie aus, wem die Rufnummern zugeordnet werden."), ("Lotte Loos", "gesperrt")],
)
def test_bulk_assign_says_at_the_select_why_nobody_gets_the_numbers(cast, sign_in, scene, to, sentence):
    with within(cast.acme, cast.alice):
        pk = StaffMember.objects.get(name=to).pk if to else ""

    answer = send(sign_in(cast.alice), "/numbers/bulk/", cast.acme, verb="assign", everything="all", changing=2, to=pk)

    assert answer.status_code == 422
    assert sentence in text(answer)
    assert re.search(r'<select[^>]*name="to"[^>]*aria-invalid="true"', answer.content.decode())
    assert held_by(cast) == BEFORE
    assert said(answer) == []
