"""Templates, mails, lock files and documents: what the house promises about everything that is not Python."""

import json
import re
import tomllib
from pathlib import PurePath

import pytest

from portal import celery
from tests import source

LINES = 150
TENANTS = ("templates/numbers/", "templates/billing/", "templates/portal/")
# Forms on any page that belong to the person, not to a tenant: they need no signed tenant.
PERSONAL = ("portal:language", "portal:theme", "account_", "mfa_", "usersessions_")


def templates():
    return {name: source.text(name) for name in source.tracked() if name.startswith("templates/")}


def pages():
    return {name: text for name, text in templates().items() if not name.startswith("templates/mail/")}


def _without_comments(text):
    text = re.sub(r"{#.*?#}", "", text)
    return re.sub(r"{%\s*comment.*?endcomment\s*%}|<!--.*?-->", "", text, flags=re.DOTALL)


def inline(files):
    """Nothing that the content policy forbids: no inline style, script or handler, no htmx code."""
    found = []
    for name, text in files.items():
        for pattern in (
            r"\sstyle=",
            r"\son[a-z]+=",
            r"hx-on",
            r"['\"]js:",
            r"javascript:",
            r"<style",
            r"<script(?![^>]*\ssrc=)",
        ):
            if re.search(pattern, _without_comments(text)):
                found.append(f"{name}: {re.search(pattern, _without_comments(text))[0].strip()}")
    return found


def guarded(files):
    """Every form that posts carries its token; on a tenant's pages also the tenant and an operation id."""
    found = []
    for name, text in files.items():
        for form in re.findall(r"<form\b.*?</form>", _without_comments(text), flags=re.DOTALL):
            head = re.match(r"<form\b(?:{%.*?%}|{{.*?}}|[^>])*>", form, flags=re.DOTALL)[0]
            if not re.search(r"method=\"post\"", head, re.IGNORECASE):
                continue
            if not re.search(r"{%\s*(guard|csrf_token)\b", form):
                found.append(f"{name}: a form without {{% guard %}}: {' '.join(head.split())[:90]}")
            elif name.startswith(TENANTS) and "guard" not in form and not any(word in head for word in PERSONAL):
                found.append(f"{name}: a form without the signed tenant: {' '.join(head.split())[:90]}")
    return found


def short(files):
    return [f"{name}: {text.count(chr(10))} lines" for name, text in files.items() if text.count("\n") > LINES]


def plain(files):
    """Show, loop, {% url %}: no arithmetic, no query."""
    return [
        f"{name}: {found[0]}"
        for name, text in files.items()
        for found in re.finditer(
            r"\|add:(?![\"'])|\|divisibleby|\.objects\b|\.filter\b|{%\s*widthratio|{%\s*load\s+static", text
        )
    ]


_TRANSLATED = r"{%\s*(?:blocktranslate|blocktrans)\b.*?{%\s*endblocktrans(?:late)?\s*%}"
_SPOKEN = r"(?:aria-label|title|placeholder|alt)=\"([^\"]*)\""


def untranslated(files):
    """Every word that people read goes through gettext, those in attributes too."""
    found = []
    for name, text in files.items():
        if not name.endswith(".html"):
            continue
        bare = re.sub(_TRANSLATED, "", _without_comments(text), flags=re.DOTALL)
        bare = re.sub(r"{%\s*block \w*class\s*%}.*?{%\s*endblock\s*%}", "", bare, flags=re.DOTALL)
        bare = re.sub(r"{%.*?%}|{{.*?}}", "", bare, flags=re.DOTALL)
        spoken = [word for word in re.findall(_SPOKEN, bare) if re.search(r"[^\W\d_]{2}", word)]
        bare = re.sub(r"<(svg|title|script)\b.*?</\1>|<!doctype[^>]*>|<[^>]*>", "\n", bare, flags=re.DOTALL | re.I)
        read = [line.strip() for line in bare.splitlines() if re.search(r"[^\W\d_]{2}", line)]
        read = [line for line in read if not re.fullmatch(r"(&\w+;|\W|\d)*", line) and line not in NAMES]
        found += [f"{name}: “{word}”" for word in (*spoken, *read)]
    return found


# Languages and systems are called by their own names.
NAMES = ("Deutsch", "English", "DE", "EN", "Windows", "macOS", "Linux")

CHECKS = (inline, guarded, short, plain, untranslated)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_templates_keep_the_rules(check):
    assert check(pages()) == []


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (inline, '<p style="color: red">'),
        (inline, '<a onclick="go()">'),
        (inline, '<a hx-on:click="go()">'),
        (inline, "<a hx-vals='js:{a: 1}'>"),
        (inline, "<script>go()</script>"),
        (guarded, '<form method="post"><button></button></form>'),
        (guarded, '<form method="post" action="{% url "numbers:edit" 1 %}">{% csrf_token %}</form>'),
        (short, "\n" * 151),
        (plain, "{{ count|add:1 }}"),
        (plain, "{% for x in Number.objects.all %}"),
        (untranslated, "<p>Nothing here</p>"),
        (untranslated, '<button aria-label="Close"></button>'),
    ],
)
def test_a_planted_template_is_found(check, text):
    assert check({"templates/numbers/x.html": text})


def test_mails_exist_as_text_and_html():
    names = {name for name in source.tracked() if name.startswith("templates/mail/")}
    parts = {"base", "button", "facts"}
    halves = {PurePath(name).with_suffix("") for name in names if PurePath(name).stem not in parts}

    missing = [f"{half}{end}" for half in halves for end in (".txt", ".html") if f"{half}{end}" not in names]
    assert missing == []


def test_every_mail_that_is_sent_has_its_template():
    """A name in the code that leads to no template would be found by the worker only."""
    said = {
        name
        for text in source.modules("numbers", "billing", "portal").values()
        for name in re.findall(r"(?:confirm|notify|Mail)\(\s*\"([a-z_]+/[a-z_]+)\"", text)
    }

    assert said
    assert [name for name in said if f"templates/mail/{name}.txt" not in source.tracked()] == []


def test_lock_files_name_no_addresses():
    lock = json.loads(source.text("package-lock.json"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    for name in source.tracked():
        if name.startswith("requirements/"):
            assert not re.search(r"://|index-url|find-links", source.text(name)), name


def test_requirements_are_pinned_with_hashes():
    for name in ("requirements/base.txt", "requirements/dev.txt"):
        packages = re.split(r"\n(?=[a-z0-9])", source.text(name), flags=re.IGNORECASE)
        loose = [p.splitlines()[0] for p in packages if re.match(r"\w", p) and not re.search(r"==\S+[\s\S]*--hash=", p)]
        assert loose == []


def test_every_dependency_says_what_it_is_for():
    text = source.text("pyproject.toml")
    told = tomllib.loads(text)
    named = [*told["project"]["dependencies"], *told["dependency-groups"]["dev"]]

    assert [name for name in named if not re.search(re.escape(f'"{name}",') + r" +# \S.{2}", text)] == []


# --- numbers and addresses that belong to nobody (rule N3) ---

FILM = ("3023125", "6990009", "4066969", "2214710", "8999998", "99")
TEXTS = (".py", ".html", ".txt", ".md", ".po", ".yml", ".toml", ".js", ".css", ".mjs", ".csv", ".svg")
_NUMBERS = (
    r"(?:\+49|\b0049)[\s\u00a0()/.\u2011-]*(?:\(0\))?[\d\s\u00a0/\u2011-]{4,18}\d",
    r"(?<![\w.,:+/%#-])0[1-9]\d{0,4}[ \u00a0]?[/-]?[ \u00a0]?\d{3,8}(?:[ \u00a0\u2011-]\d{1,5})?(?![\w.:%])",
)
# Files whose subject is numbers that are no customer's: what is refused, or read from strange notations.
ABOUT_NUMBERS = {
    "tests/numbers/test_notation.py": "reads and refuses every kind of number",
    "tests/numbers/test_forwarding.py": "refuses premium, service and emergency numbers",
    "tests/numbers/test_forwarding_page.py": "refuses them on the page",
    "tests/numbers/test_port_pages.py": "refuses foreign and mobile numbers at their field",
    "tests/numbers/test_port_numbers.py": "refuses foreign and mobile numbers, bases without their extension",
    "tests/numbers/test_importing.py": "refuses a number that is too short and one of an area that does not exist",
}


def real_numbers(files):
    found = []
    for name, text in files.items():
        for pattern in _NUMBERS:
            for match in re.finditer(pattern, text):
                digits = re.sub(r"\D", "", match[0].replace("(0)", ""))
                national = re.sub(r"^(0049|49|0)", "", digits) if not digits.startswith("0049") else digits[4:]
                film = any(national.startswith(begin) or begin.startswith(national) for begin in FILM)
                if len(national) >= 6 and not film and not _is_no_number(match[0]):
                    found.append(f"{name}: {match[0].strip()}")
    return found


def _is_no_number(text):
    return bool(re.fullmatch(r"0\d{1,4}-\d\d(-\d\d)?|0\d:\d\d.*", text.strip()))  # dates and times


def real_addresses(files):
    found = []
    for name, text in files.items():
        for host in re.findall(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", text):
            if not host.endswith(".example") and host not in PUBLIC:
                found.append(f"{name}: @{host}")
        for host in re.findall(r"https?://([\w.-]+\.[a-z]{2,})", text):
            if not host.endswith(".example") and host not in PUBLIC:
                found.append(f"{name}: {host}")
    return found


# Places to read about things, and the placeholder that every message catalogue begins with.
PUBLIC = {"www.w3.org", "docs.djangoproject.com", "www.postgresql.org", "docs.astral.sh", "li.org"}


def readable():
    names = (n for n in source.tracked() if n.endswith(TEXTS) and not n.startswith(("requirements/", "static/")))
    return {name: source.text(name) for name in names if name != "tests/test_documents.py"}


def test_only_numbers_of_films_are_shown():
    assert real_numbers({n: t for n, t in readable().items() if n not in ABOUT_NUMBERS}) == []


def test_only_example_addresses_are_shown():
    assert real_addresses(readable()) == []


@pytest.mark.parametrize(
    "text", ["+49 30 901820", "030 901820", "0221 / 4711-0", "+4989123456", "0049 (0)69 7890123", "030/901820"]
)
def test_a_planted_number_of_somebody_is_found(text):
    assert real_numbers({"templates/x.html": f"<p>{text}</p>"})


@pytest.mark.parametrize(
    "text", ["030 23125-012", "+4930 23125012", "0221 4710999", "+499912345678", "2026-01-31", "09:30"]
)
def test_film_numbers_and_dates_are_fine(text):
    assert real_numbers({"templates/x.html": f"<p>{text}</p>"}) == []


@pytest.mark.parametrize("text", ["max@firma.de", "https://www.telekom.de/x"])
def test_a_planted_address_of_somebody_is_found(text):
    assert real_addresses({"templates/x.html": text})


def test_no_file_tells_of_the_machine_it_was_written_on():
    told = re.compile(r"/root/|/home/\w+/|/work/|/tmp/\w{3,}/")
    assert [n for n, t in readable().items() if told.search(t)] == []


def unnamed_jobs(text):
    """Every job of the clock, and the command to run it by hand, stands in the operations manual."""
    names = celery.app.conf.beat_schedule
    commands = sorted((source.ROOT / "numbers/management/commands").glob("*.py"))
    tasks = {job["task"].rpartition(".")[2] for job in names.values()}
    wanted = [*names, *(path.stem for path in commands if path.stem in tasks)]
    return [name for name in wanted if f"`{name}" not in text]


def test_the_manual_names_every_job_of_the_clock():
    text = source.text("docs/operations.md")

    assert unnamed_jobs(text) == []
    assert unnamed_jobs(text.replace("`apply", "apply")) == [
        *("apply-deactivations", "apply-handovers", "apply-portings"),
        *("apply_deactivations", "apply_handovers", "apply_portings"),
    ]
