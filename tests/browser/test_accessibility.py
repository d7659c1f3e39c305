"""Every page, for everybody: nothing that axe finds, nothing that sticks out sideways, in both languages."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone
from playwright.sync_api import expect

from fax.models import FaxCredential
from numbers import demo
from numbers.models import Address, Assignment, BulkItem, BulkRun, NumberBlock, NumberOrder, PhoneNumber, PortOrder
from portal import tenancy
from portal.demo.mail import FolderBackend
from portal.models import User
from staff.models import StaffMember
from tests import conftest, standing
from tests.browser import looks
from tests.conftest import PROOF

pytestmark = pytest.mark.timeout(1800 if PROOF else 600)

# Which row of the world an address with an id in it is about; a page that is neither here nor below fails the walk.
ABOUT = {
    "numbers:number": "active",
    "numbers:edit": "active",
    "numbers:activate": "inactive",
    "numbers:deactivate": "active",
    "numbers:withdraw": "scheduled",
    "numbers:forwarding": "active",
    "numbers:bulk_result": "run",
    "numbers:assign": "active",
    "numbers:calls": "active",
    "numbers:return": "inactive",
    "numbers:release": "holder",
    "numbers:person_data": "holder",
    "numbers:person_erase": "gone",
    "fax:access": "fax",
    "fax:send": "fax",
    "fax:of_member": "holder",
    "fax:revoke": "credential",
    "numbers:port": "port",
    "numbers:port_move": "port",
    "numbers:port_cancel": "port",
    "numbers:port_summary": "draft",
    "numbers:port_step": "step",
    "staff:member": "holder",
    "staff:edit": "holder",
    "staff:lock": "holder",
    "staff:remove": "holder",
    "staff:invite": "holder",
    "staff:role": "holder",
    "numbers:itemised_bill": "month",
    "numbers:block": "block",
    "numbers:order": "order",
    "numbers:address": "address_sent",
    "numbers:address_edit": "address_new",
    "numbers:address_move": "address_verified",
}
NOT_WALKED = {
    "numbers:bulk": "needs a choice of numbers; test_dialogs opens it",
    "billing:costs_csv": "a file",
    "numbers:bulk_result_csv": "a file",
    "numbers:export": "a file",
    "numbers:forwarding_remove": "answers a form only",
    "numbers:swap_choices": "a part of a page",
    "numbers:tabs": "a part of a page",
    "numbers:of_member": "a part of a page",
    "numbers:unassign": "answers a form only",
    "numbers:handover_withdraw": "answers a form only",
    "numbers:itemised_file": "a file",
    "numbers:own_forwarding": "needs a number of one's own, and the tenant's leave",
    "numbers:own_forwarding_remove": "answers a form only",
    "numbers:address_remove": "answers a form only",
    "numbers:letter_ask": "answers a form only",
    "numbers:letter_withdraw": "answers a form only",
    "numbers:letter_pin": "answers a form only",
    "numbers:order_proof": "a file",
    "numbers:order_confirm": "needs a reservation",
    "fax:link": "needs a link from a mail; tests/browser/test_fax.py",
    "fax:open": "as above",
    "fax:printer": "is spoken to by printers",
    "fax:fax": "tests/browser/test_faxes.py",
    "fax:fax_preview": "a picture",
    "fax:fax_address": "answers a form only",
    "fax:fax_cancel": "answers a form only",
    "fax:fax_retry": "answers a form only",
    "fax:fax_delete": "tests/browser/test_faxes.py",
    "numbers:port_form": "a file",
    "numbers:port_document": "a file",
    "numbers:port_upload": "answers a form only",
    "numbers:port_submit": "answers a form only",
    "numbers:port_replace": "needs a temporary number; tests/browser/test_porting.py",
    "staff:export": "a file",
    "staff:enrol": "answers a form only",
    "staff:unlock": "needs somebody who is locked",
    "staff:revoke": "needs an open invitation",
    "staff:open_invitation": "tests/browser/test_staff.py",
    "staff:accept": "as above",
    "portal:help_flow": "the walk takes every flow that the help names",
    "demo:mails": "the demo's; test_mailbox_of_the_demo",
    "demo:mail": "as above",
    "demo:mail_html": "as above",
}
REFUSALS = {400, 403, 405}
DOOR = ("account_", "mfa_", "usersessions_")  # test_signin.py looks at these, with what it takes to be let in


@pytest.fixture(scope="session")
def demonstrated(django_db_setup, django_db_blocker):
    """The name of a database in which the demo stands; its people by name, and rows of Acme by what they are."""

    def fill():
        with transaction.atomic(), conftest._as_operator():
            demo.load(now=timezone.now())
        people = {user.email.partition("@")[0]: user for user in User.objects.all()}
        with transaction.atomic(), conftest._as_operator():
            acme = people["alice"].memberships.get().tenant_id
        with tenancy.tenant_transaction(acme, user_id=people["alice"].pk):
            return people | _rows(people["alice"])

    return standing.filled("shown", fill, blocker=django_db_blocker)


@pytest.fixture
def world(demonstrated, transactional_db):
    """The demo, to be looked at and not changed."""
    name, things = demonstrated
    with standing.connected_to(name):
        yield SimpleNamespace(**things)


def _rows(alice):
    at, numbers = timezone.now(), PhoneNumber.objects.order_by("e164")
    rows = {
        "active": numbers.unscheduled(at).exclude(label="").first(),
        "inactive": numbers.inactive(at).first(),
        "scheduled": numbers.scheduled(at).first(),
        "holder": Assignment.objects.filter(until_at=None).order_by("pk").first().staff_member,
        "gone": StaffMember.objects.filter(state="left", tenant__slug="acme").first(),
        "order": NumberOrder.objects.first(),
        "credential": (credential := FaxCredential.objects.filter(revoked_at=None).order_by("pk").first()),
        "fax": credential.number,
        "address_sent": Address.objects.pending(at).exclude(entry_until=None).first(),
        "address_new": Address.objects.order_by("-pk").first(),
        "address_verified": Address.objects.verified(at).first(),
        "draft": (draft := PortOrder.objects.filter(state="draft").first()),
        "port": PortOrder.objects.filter(state="confirmed").order_by("-confirmed_on").first(),
        "block": NumberBlock.objects.order_by("pk").first(),
        "run": _bulk_run(alice, list(numbers.inactive(at)[:30]), finished_at=at),
        "open_run": _bulk_run(alice, list(numbers.inactive(at)[:30]), finished_at=None),
    }
    last = at.date().replace(day=1) - timedelta(days=1)
    of_two = {"month": (last.year, last.month), "step": (draft.pk, "date")}
    return of_two | {name: row.pk for name, row in rows.items()}


def _bulk_run(by, numbers, *, finished_at):
    at, handled = timezone.now(), len(numbers) if finished_at else len(numbers) // 3
    run = BulkRun.objects.create(
        verb="activate", by=by, total=len(numbers), handled=handled, created_at=at, finished_at=finished_at
    )
    outcomes = [("done", ""), ("unchanged", "already_active"), ("refused", "porting")]
    for place, number in enumerate(numbers):
        outcome, reason = outcomes[place % 3] if place < handled else ("", "")
        BulkItem.objects.create(run=run, number=number, outcome=outcome, reason=reason)
    return run


def names(resolver, space=""):
    """Yield the name of every address there is, those of files and forms too."""
    for part in resolver.url_patterns:
        if isinstance(part, URLPattern):
            yield f"{space}{part.name}"
        else:
            yield from names(part, f"{part.namespace}:" if part.namespace else space)


def addresses(world):
    """Return every page's address by its name."""
    walked = {name for name in names(get_resolver()) if not name.startswith(DOOR)} - NOT_WALKED.keys()
    rows = {name: getattr(world, ABOUT[name]) for name in walked & ABOUT.keys()}
    with_id = {name: reverse(name, args=row if isinstance(row, tuple) else [row]) for name, row in rows.items()}
    return {name: reverse(name) for name in sorted(walked - ABOUT.keys())} | with_id


def walk(page_for, paths, look):
    """Look at each address that answers this visitor with a page of their own; return faults and what was seen."""
    found, seen = [], []
    for path in paths:
        page = page_for(path)
        answer = page.goto(path)
        own = answer.request.redirected_from is None and "text/html" in answer.headers["content-type"]
        if answer.status == 200 and own:
            found += look(page, path)
            seen.append(path)
    return found, seen


def in_looks(visit, who):
    """Return what looks at an address as somebody, in a window of its look: to switch one takes longer than to look."""
    windows = {}

    def page_for(path):
        size, scheme = looks.of(path)[0]
        if scheme not in windows:
            windows[scheme] = visit(who, viewport=size, color_scheme=scheme)
        return windows[scheme]

    return lambda paths: walk(page_for, paths, lambda page, path: looks.faults(page, path, back=looks.of(path)[0]))


def helps(page):
    page.goto(reverse("portal:help"))
    return sorted({link.get_attribute("href") for link in page.locator("a[href^='/help/']").all()} - {"/help/"})


@pytest.mark.parametrize("half", [0, 1])
def test_pages_of_an_administrator(visit, world, watch, half):
    watch.expects = REFUSALS
    english = visit(world.alice, "en", viewport=looks.PHONE)
    paths = [*addresses(world).values(), *helps(english), "/numbers/?q=nothing-like-that", "/numbers/?state=scheduled"]
    paths = paths[half::2]

    found, seen = in_looks(visit, world.alice)(paths)
    in_english, _ = walk(lambda _: english, paths, looks.faults if PROOF else looks.overflow)

    assert found + in_english == [], "\n".join(found + in_english)
    assert len(seen) >= 20


def test_pages_of_the_others(visit, world, watch):
    """A billing contact, a staff member, and the administrator of a tenant that has nothing yet."""
    watch.expects = REFUSALS
    paths = addresses(world)
    empty = [path for name, path in paths.items() if name.startswith("numbers:") and name not in ABOUT]
    money, profile = reverse("billing:costs"), reverse("portal:profile")

    for who, own in (("dora", [money, profile]), ("bob", [profile]), ("frida", [money, *empty])):
        somebody = getattr(world, who)
        everything = [path for name, path in paths.items() if who != "frida" or name not in ABOUT]  # rows are Acme's
        found, seen = in_looks(visit, somebody)([*everything, *helps(visit(somebody))] if PROOF else own)

        assert found == [], "\n".join(found)
        assert len(seen) >= len(own) // 2


def test_mailbox_of_the_demo(visit, settings, tmp_path, watch):
    settings.DEMO, settings.DATA_DIR = True, tmp_path
    letter = EmailMultiAlternatives("Rufnummer aktiviert", "Guten Tag", to=["alice@acme.example"])
    letter.attach_alternative("<p>Guten Tag</p>", "text/html")
    FolderBackend(alias="default").send_messages([letter])
    page = visit()

    page.goto(reverse("demo:mails"))
    found = looks.faults(page, "mailbox")
    page.get_by_role("link", name="Rufnummer aktiviert").click()
    expect(page.get_by_text("Guten Tag").first).to_be_visible()
    found += looks.faults(page, "letter")

    assert found == [], "\n".join(found)


def test_dialogs_menus_and_forms_with_errors(visit, world, watch):
    watch.expects = {422}
    page, found = visit(world.alice), []

    def look(name):
        found.extend(looks.faults(page, name))

    for state, link in (("inactive", "aktivieren"), ("active", "deaktivieren"), ("scheduled", "zurücknehmen")):
        page.goto(f"/numbers/?state={state}&size=25")
        page.locator("#rows").get_by_role("link", name=re.compile(f" {link}$")).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        look(f"dialog {link}")
    page.goto("/numbers/?size=25")
    page.get_by_role("button", name="Spalten").click()
    look("choice of columns")
    page.keyboard.press("Escape")
    page.get_by_role("checkbox", name="Alle auf dieser Seite auswählen").check()
    look("chosen rows")
    page.get_by_role("form", name="Sammelaktionen").get_by_role("button", name="Deaktivieren", exact=True).click()
    look("bulk deactivation")
    page.goto(f"/numbers/bulk/?verb=activate&ids={world.inactive}")
    look("bulk activation")
    page.goto(f"/numbers/bulk/{world.open_run}/")
    look("bulk progress")
    page.goto("/numbers/swap/")
    page.get_by_role("button", name="Rufnummerntausch jetzt abschließen").click()
    expect(page.get_by_text("Bitte wählen Sie die neue Rufnummer aus.")).to_be_visible()
    look("swap with errors")
    page.goto(f"/numbers/{world.active}/forwarding/")
    page.locator("#id_destination").fill("110")
    page.locator("#id_destination").press("Enter")
    expect(page.locator("#id_destination[aria-invalid=true]")).to_be_visible()
    look("forwarding with errors")
    page.get_by_role("button", name="Konto: Alice Adler").click()
    look("account menu")
    page.keyboard.press("Escape")
    page.set_viewport_size(looks.PHONE)
    page.get_by_role("button", name="Menü öffnen").click()
    look("menu on a phone")
    page = visit(world.erika)
    page.goto("/dashboard/")
    page.get_by_role("button", name=re.compile("Mandant wechseln")).click()
    look("choice of the tenant")

    assert found == [], "\n".join(found)


def test_the_look_finds_what_is_planted(visit, cast, watch):
    page = visit(cast.alice)
    page.goto(reverse("portal:profile"))
    page.evaluate(
        """() => {
          const main = document.querySelector("main");
          const plant = (name, text, style) => {
            const one = Object.assign(document.createElement(name), { textContent: text });
            Object.assign(one.style, style);
            main.append(one);
          };
          plant("input", "", {});
          plant("p", "hardly to be read", { color: "#888", background: "#999" });
          plant("p", "too wide", { width: "2000px" });
          plant("i", "", {});
          main.lastChild.className = "ribbon";
        }"""
    )

    found = "\n".join(fault for name in ("one", "two", "three", "four") for fault in looks.faults(page, name))

    assert "one: Tabler's class ribbon is not in our style sheet" in found
    for look in ("1440, light", "390, dark"):
        assert f"at {look}: label: [" in found
        assert f"at {look}: color-contrast: ['p" in found
    for width in (1440, 390):
        assert f"at {width}: p#. sticks out" in found
