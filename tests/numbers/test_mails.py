"""Every mail about numbers, in both languages, as text and as HTML."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from numbers import lifecycle, swap
from numbers.models import PhoneNumber
from portal import outbox
from portal.models import OutboxMessage
from tests import make

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SEEN = {"standard": Decimal("2.90")}
FOLDER = Path(settings.BASE_DIR) / "templates" / "mail"
ONE = [{"number": "030 23125-012", "label": "Empfang & Zentrale"}]
CONTEXT = {
    "name": "Alice Adler",
    "numbers": ONE,
    "count": 1,
    "more": 0,
    "last_active_on": "2026-12-31",
    "inactive_from": "2027-01-01",
    "monthly": "1234.50",
    "first_month": "0.77",
    "new_number": "030 23125013",
    "verb": "activate",
    "run": 7,
    "done": 4,
    "unchanged": 2,
    "refused": 1,
    "may_sign_in": True,
    "fee": "9.80",
    "rests_until": "2027-02-21",
    "area": "Berlin (030)",
    "reason": "Der Plan fehlt.",
    "order": 7,
    "tenant": "Acme GmbH",
    "percent": 80,
    "size": 10,
    "given": 8,
    "warn_from": 80,
    "by": "Erika Ernst",
    "from": "2026-12-01",
    "masked": True,
    "before": 3,
    "months": 2,
    "person": 17,
    "address": "Musterstraße 12a, 10115 Berlin",
    "until": "2026-12-23",
    "pk": 7,
    "provider": "Beispiel Telefon (D901)",
    "confirmed": "2026-12-08",
    "leaves": "2026-12-08",
    "meaning": "Die Adresse weicht ab.",
    "works": "yes",
    "temporary": "030 23125900",
    "waiting": "030 23125901",
    "how": "swap",
    "others": 3,
    "to_send": "change",
}
SENDERS = ("lifecycle.py", "swap.py", "effects.py", "bulk.py", "assignment.py", "handovers.py", "letters.py")
SENDERS += ("orders.py", "pool_watch.py", "returning.py", "itemisation.py", "retention.py", "erasure.py")
SENDERS += ("porting.py", "port_desk.py", "port_completion.py", "port_out.py", "port_mails.py")
# whose console has an address of its own
TO_OPERATOR = ("numbers/order_to_decide", "numbers/pool_warning", "numbers/port_to_do")
TO_CALLS = ("numbers/itemisation_ordered", "numbers/itemisation_withdrawn", "numbers/retention_changed")
TO_STAFF = ("numbers/assigned", "numbers/unassigned")  # they begin on a page of their own
MANY = CONTEXT | {"numbers": ONE * 20, "count": 23, "more": 3}
TEMPLATES = sorted(
    str(path.relative_to(FOLDER).with_suffix(""))
    for path in (FOLDER / "numbers").glob("*.txt")
    if path.stem not in ("notice", "address_notice", "port_notice")
)


class _Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.parts = []

    def handle_data(self, data):
        self.parts.append(data)


def read(html):
    parser = _Text()
    parser.feed(html)
    return " ".join("".join(parser.parts).split())


def composed(template, language, context=CONTEXT):
    return outbox.compose(OutboxMessage(template=template, language=language, context=context, recipient="a@b.example"))


def msgids(template):
    """The English sentences of a template, with what is filled in cut out."""
    source = (FOLDER / f"{template}.txt").read_text()
    sentences = re.findall(r'{% translate "(.+?)" %}', source)
    for block in re.findall(r"{% blocktranslate[^%]*%}(.+?){% endblocktranslate %}", source, re.S):
        sentences += re.split(r"{% plural %}", block)
    return sentences


def test_there_is_a_mail_for_every_confirmation_and_notice():
    source = "".join((settings.BASE_DIR / "numbers" / f).read_text() for f in SENDERS)

    assert sorted(set(re.findall(r'"(numbers/[a-z_]+)"', source))) == TEMPLATES


@pytest.mark.parametrize("context", [CONTEXT, MANY], ids=["one", "many"])
@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_mail_says_the_same_as_text_and_html(template, language, context):
    mail = composed(template, language, context)
    html = read(mail.alternatives[0].content)
    body = mail.body.split("\n\n")

    assert mail.subject
    assert mail.subject in html
    for paragraph in body[:-2]:  # greeting to button; the signature is laid out otherwise
        for line in " ".join(paragraph.split("    ")).splitlines():
            assert " ".join(line.split()).partition(": http")[0] in html
    assert settings.OPERATOR_NAME in mail.body
    assert settings.OPERATOR_NAME in html
    assert "030 23125900" in mail.body
    assert "030 23125900" in html
    link = f"{settings.PORTAL_URL}/" if template in TO_STAFF else f"{settings.PORTAL_URL}/numbers/"
    link = f"{settings.PORTAL_URL}/calls/" if template in TO_CALLS else link
    link = f"{settings.PORTAL_URL}/people/17/data/" if template == "numbers/person_erased" else link
    link = f"{settings.PORTAL_URL}/addresses/7/" if template.startswith(("numbers/address", "numbers/letter")) else link
    link = f"{settings.PORTAL_URL}/" if template.startswith("numbers/port_") else link
    link = settings.PORTAL_URL if template in TO_OPERATOR else link
    assert link in mail.body
    assert link in mail.alternatives[0].content
    assert "erfolgreich" not in mail.body
    assert "successful" not in mail.body
    assert "&amp;" not in mail.body


@pytest.mark.parametrize("template", TEMPLATES)
def test_mail_is_completely_translated(template):
    german = [composed(template, "de", context) for context in (CONTEXT, MANY)]

    for sentence in [*msgids(template), *msgids("numbers/notice"), *msgids("base")]:
        longest = max(re.split(r"{{.+?}}", sentence), key=len).strip(" .,:")
        for mail in german:
            if longest not in ("Portal", "Hotline"):
                assert longest not in mail.body
                assert longest not in mail.subject
                assert longest not in mail.alternatives[0].content


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("de", "Aktiv bis einschließlich 31.12.2026, inaktiv ab 01.01.2027."),
        ("en", "Active up to and including 31 Dec 2026, inactive from 1 Jan 2027."),
    ],
)
def test_dates_are_written_as_the_language_does(language, sentence):
    assert sentence in composed("numbers/deactivation_scheduled", language).body


@pytest.mark.parametrize(("language", "amount"), [("de", "1.234,50 EUR"), ("en", "1,234.50 EUR")])
def test_money_is_written_as_the_language_does(language, amount):
    assert amount in composed("numbers/activated", language).body


def test_operations_write_mails_that_can_be_composed(acme):
    first, second = make.number("+493023125012"), make.number("+493023125013")
    locked = PhoneNumber.objects.locked([first.pk])

    lifecycle.activate(locked, prices_seen=SEEN, by=acme.alice, at=NOW)
    lifecycle.schedule_deactivation(locked, date_seen=date(2026, 12, 31), by=acme.alice, at=NOW)
    lifecycle.withdraw(locked, by=acme.alice, at=NOW)
    swap.swap(*PhoneNumber.objects.locked([first.pk, second.pk]), by=acme.alice, at=NOW)

    messages = list(OutboxMessage.objects.order_by("id"))
    assert [message.template for message in messages] == [
        "numbers/activated",
        "numbers/deactivation_scheduled",
        "numbers/deactivation_withdrawn",
        "numbers/swapped",
    ]
    activated = outbox.compose(messages[0])
    assert activated.subject == "Rufnummer aktiviert"
    assert "Kosten: 2,90 EUR im Monat zzgl. MwSt., für den Rest dieses Monats 0,77 EUR." in activated.body
    assert "030 23125012" in activated.body
    assert outbox.compose(messages[3]).subject == "Rufnummern getauscht: 030 23125013 statt 030 23125012"


def test_composing_leaves_the_language_of_the_process_alone():
    with translation.override("en"):
        composed("numbers/activated", "de")
        assert translation.get_language() == "en"
