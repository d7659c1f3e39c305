"""Porting as people do it, in both languages, with and without JavaScript: from a draft to numbers that work."""

import re
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import expect

from billing.models import Slot
from numbers import jobs, port_calendar, port_completion
from numbers.models import PhoneNumber, PortOrder, PortProvider
from portal import berlin, tenancy
from tests import make
from tests import porting as ports
from tests.browser import looks
from tests.portal.test_uploads import action, opens_with, pdf


class Words(NamedTuple):
    port: str
    begin: str
    go_on: str
    leave: str
    resume: str
    numbers: str
    can: re.Pattern[str]
    cannot: re.Pattern[str]
    too_short: str
    provider: str
    customer_number: str
    house_number: str
    no_others: re.Pattern[str]
    activate: re.Pattern[str]
    upload: re.Pattern[str]
    scripts: re.Pattern[str]
    submit: re.Pattern[str]
    submitted: re.Pattern[str]
    rejected: re.Pattern[str]
    correct: str
    outdated: str
    confirmed: re.Pattern[str]
    done: re.Pattern[str]
    block: str
    all_there: re.Pattern[str]


WORDS = {
    "de": Words(
        "Rufnummern portieren",
        "Auftrag beginnen",
        "Speichern und weiter",
        "Speichern und verlassen",
        "Entwurf fortsetzen",
        "Rufnummern",
        re.compile("kann portiert werden"),
        re.compile("lässt sich nicht portieren"),
        "Die Rufnummer ist zu kurz.",
        "Bisheriger Anbieter",
        "Kundennummer dort",
        "Hausnummer",
        re.compile("Es gibt keine weiteren"),
        re.compile("zum Portierungstermin aktivieren"),
        re.compile("hochladen"),
        re.compile("Das PDF enthält Skripte"),
        re.compile("Aktivierung einreichen"),
        re.compile("Der Auftrag wurde eingereicht"),
        re.compile(r"abgelehnt: .*\(ADF\)"),
        "Jetzt korrigieren",
        "Die Angaben haben sich seit der Unterschrift geändert.",
        re.compile("Die Rufnummern werden am .* umgeschaltet"),
        re.compile("Die Rufnummern sind in Ihrem Bestand"),
        "Rufnummernblock",
        re.compile(r"00 – 99 \(100\)"),
    ),
    "en": Words(
        "Port phone numbers",
        "Begin the order",
        "Save and continue",
        "Save and leave",
        "Go on with the draft",
        "Phone numbers",
        re.compile("can be ported"),
        re.compile("cannot be ported"),
        "The number is too short.",
        "Old provider",
        "Customer number there",
        "House number",
        re.compile("There are no others"),
        re.compile("Activate the numbers on the port date"),
        re.compile("Upload"),
        re.compile("The PDF contains scripts"),
        re.compile("Submit with activation"),
        re.compile("The order was submitted"),
        re.compile(r"rejected the order: .*\(ADF\)"),
        "Correct it",
        "The details have changed since the form was signed.",
        re.compile("The numbers change over on"),
        re.compile("The numbers are in your inventory"),
        "Number block",
        re.compile(r"00 – 99 \(100\)"),
    ),
}


@pytest.fixture
def berlin_line(in_acme, as_operator):
    """Acme has a verified address in Berlin and a number there; two old providers are known."""
    with transaction.atomic(), as_operator():
        for name, code in (("Alte Telefon", "D901"), ("Andere Telefon", "D902")):
            PortProvider.objects.create(name=name, code=code, sort_key=name.lower())
    with in_acme():
        make.verified_address("30")
        make.number("+493023125805")


def file(content):
    return {"name": "auftrag.pdf", "mimeType": "application/pdf", "buffer": content}


def answer(desk, act, **fields):
    """Let the operator's agent open the order from the desk, and click what the old provider answered."""
    desk.goto("/console/numbers/portorder/desk/")
    desk.locator("#result_list a").first.click()
    for name, value in fields.items():
        field = desk.locator(f"#{act}_{name}")
        field.select_option(value) if name == "code" else field.fill(value)
    desk.locator(f"form:has([name=act][value={act}]) [type=submit]").click()
    expect(desk.locator(".errornote, .errorlist")).to_have_count(0)


@contextmanager
def worker():
    """Act as the worker does: with the operator's role, in transactions of its own."""
    options = connection.settings_dict["OPTIONS"]
    connection.close()
    before, options["assume_role"] = options["assume_role"], "portal_ops"
    try:
        with override_settings(DATABASE_ROLE="portal_ops"):
            yield
    finally:
        connection.close()
        options["assume_role"] = before


def arrive(on):
    """Let the job run in the morning of the changeover."""
    with worker():
        assert jobs.apply_portings(at=berlin.begin(on) + timedelta(hours=7)).done >= 1


def fill_in(page, say):
    """Go from the old provider to the summary, with what is prefilled kept, and the numbers to be activated."""
    go_on = page.get_by_role("button", name=say.go_on)
    page.get_by_label(say.provider).fill("andere")
    page.get_by_label(say.customer_number).fill("4711")
    go_on.click()
    page.get_by_label(say.house_number).fill("12")
    go_on.click()
    page.locator(".p-day-free").first.click()
    page.get_by_role("radio", name=say.no_others).check()
    page.get_by_label(say.activate).check()
    go_on.click()


def code(in_acme):
    """Return what stands at the foot of the form to sign."""
    with in_acme():
        return ports.code(PortOrder.objects.get())


def sign(page, say, content, code):
    page.locator("#id_document").set_input_files(file(content))
    page.locator("#id_code").fill(code)
    page.get_by_role("button", name=say.upload).click()


@pytest.mark.timeout(600)
def test_port_from_draft_to_numbers_that_work(visit, desk, cast, manner, berlin_line, in_acme, watch):
    say, page, watch.expects = WORDS[manner.language], visit(cast.alice, manner.language, js=manner.js), {422}
    go_on = page.get_by_role("button", name=say.go_on)

    # draft: bad input is said at the field, what can be read is kept, and one can leave
    page.goto("/numbers/")
    page.get_by_role("link", name=say.port, exact=True).click()
    page.get_by_role("button", name=say.begin).click()
    numbers = page.get_by_role("textbox", name=say.numbers, exact=True)
    numbers.fill("030 23")
    go_on.click()
    expect(page.get_by_text(say.too_short).first).to_be_visible()
    numbers.fill("030 23125-801\n030 23125 805")
    if manner.js:
        numbers.press("Tab")
        expect(page.get_by_text(say.can)).to_be_visible()
    go_on.click()
    expect(page.get_by_text(say.cannot).first).to_be_visible()
    numbers.fill("+49 (0)30 23125-801; 030/23125802")
    page.get_by_role("button", name=say.leave).click()

    # resume, with everything still there
    page.goto("/porting/")
    page.get_by_role("link", name=re.compile("030.23125801")).click()
    page.get_by_role("link", name=say.resume).click()
    page.get_by_role("link", name=f"2. {say.provider}").click()
    fill_in(page, say)

    # the signed form: a hostile one is refused, the good one kept
    sign(page, say, pdf(opens_with(lambda document: action("/JavaScript"))), code(in_acme))
    expect(page.get_by_text(say.scripts)).to_be_visible()
    sign(page, say, pdf(), code(in_acme))
    page.get_by_role("button", name=say.submit).click()
    expect(page.get_by_text(say.submitted)).to_be_visible()

    # rejected, corrected, submitted again
    agent = desk(manner.language)
    answer(agent, "take")
    answer(agent, "sent", reference="VH00004711")
    answer(agent, "reject", code="ADF", reason="12b")
    page.reload()
    expect(page.get_by_text(say.rejected)).to_be_visible()
    page.get_by_role("link", name=say.correct).click()
    page.get_by_label(say.house_number).fill("12b")
    go_on.click()
    go_on.click()
    expect(page.get_by_text(say.outdated).first).to_be_visible()
    sign(page, say, pdf(), code(in_acme))
    expect(page.get_by_text(say.outdated)).to_have_count(0)
    page.get_by_role("button", name=say.submit).click()

    # the date, and the day
    on = port_calendar.working_day_after(berlin.day(timezone.now()), 8)
    answer(agent, "accept", on=on.isoformat())
    page.reload()
    expect(page.get_by_text(say.confirmed)).to_be_visible()
    assert "€" not in page.get_by_role("main").inner_text()  # porting costs nothing
    arrive(on)
    page.reload()
    expect(page.get_by_text(say.done)).to_be_visible()
    page.get_by_role("link", name=re.compile("030.23125801")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("23125801")
    with in_acme():
        ported = PhoneNumber.objects.filter(e164__in=["+493023125801", "+493023125802"])
        assert set(ported.values_list("state", flat=True)) == {"active"}
        assert PortOrder.objects.get().house_number == "12b"


def test_port_a_block_of_a_hundred(visit, desk, cast, berlin_line, in_acme):
    say, page, agent = WORDS["en"], visit(cast.alice, "en"), desk("en")
    page.goto("/porting/new/")
    page.get_by_role("button", name=say.begin).click()
    page.get_by_role("radio", name=say.block).check()
    for field, value in (("base_number", "030 231257"), ("range_from", "00"), ("range_until", "99"), ("pilot", "00")):
        page.locator(f"#id_{field}").fill(value)
    page.get_by_role("button", name=say.go_on).click()

    fill_in(page, say)
    expect(page.get_by_text(say.all_there)).to_be_visible()
    sign(page, say, pdf(), code(in_acme))
    page.get_by_role("button", name=say.submit).click()
    expect(page.get_by_text(say.submitted)).to_be_visible()

    on = port_calendar.working_day_after(berlin.day(timezone.now()), 8)
    answer(agent, "accept", on=on.isoformat())
    arrive(on)
    page.reload()

    expect(page.get_by_text(say.done)).to_be_visible()
    with in_acme():
        ported = PhoneNumber.objects.filter(base_number="+4930231257", state="active")
        assert ported.count() == Slot.objects.filter(until_on=None).count() == 100


def test_pages_of_porting_have_no_faults(visit, cast, berlin_line, in_acme, as_operator):
    """Steps with numbers checked, with a calendar, with what is missing; an order under way and one rejected."""
    page, found, say = visit(cast.alice), [], WORDS["de"]
    page.goto("/porting/new/")
    page.get_by_role("button", name=say.begin).click()
    page.locator("#id_numbers").fill("030 23125801\n030 23125805")
    page.locator("#id_numbers").press("Tab")
    expect(page.get_by_text(say.can)).to_be_visible()
    found += looks.faults(page, "numbers")
    for step in ("provider", "holder", "date"):
        page.goto(re.sub("step/.*", f"step/{step}/", page.url))
        found += looks.faults(page, step)
    page.goto(re.sub("step/.*", "summary/", page.url))
    found += looks.faults(page, "summary")
    with transaction.atomic(), as_operator(), tenancy.every_tenant():
        PortOrder.objects.update(state="rejected", code="ADF", reason="12b", submitted_at=timezone.now())
    page.goto(re.sub("summary/.*", "", page.url))
    found += looks.faults(page, "rejected order")
    with in_acme():
        temporary = make.number("+493023125015", state="active", label="Empfang")
        order = ports.confirmed(cast, "+493023125804", temporary=temporary)
        order.confirmed_on = berlin.day(timezone.now()) - timedelta(days=1)  # its day has come
        port_completion.complete(order, by=cast.olga, at=timezone.now())
    page.goto(f"/porting/{order.pk}/replace/")
    expect(page.get_by_text("Empfang")).to_be_visible()
    found += looks.faults(page, "replacing a temporary number")

    assert found == [], "\n".join(found)
