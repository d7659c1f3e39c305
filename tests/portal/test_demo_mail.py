"""The demo's mail: written whole, shown safely, and only in the demo."""

from datetime import UTC, datetime

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from portal import outbox
from portal.demo import mail
from portal.models import OutboxMessage

HOSTILE = '<p>Gruß</p><script>alert(1)</script><img src="http://evil.example/x.png">'


@pytest.fixture
def demo(settings, tmp_path):
    settings.DEMO, settings.DATA_DIR = True, tmp_path
    return tmp_path / "mail"


def send(subject="Betreff ü", body="Guten Tag <b>", html=HOSTILE):
    message = EmailMultiAlternatives(subject=subject, body=body, to=["alice@acme.example"])
    if html:
        message.attach_alternative(html, "text/html")
    mail.FolderBackend(alias="default").send_messages([message])
    return mail.newest(1)[0]


def test_a_mail_becomes_a_file_and_is_read_back(demo):
    letter = send()

    assert [path.suffix for path in demo.iterdir()] == [".eml"]
    assert (letter.subject, letter.recipient) == ("Betreff ü", "alice@acme.example")
    assert letter.text.strip() == "Guten Tag <b>"
    assert letter.html.strip() == HOSTILE
    assert demo.stat().st_mode & 0o077 == 0


def test_the_newest_mail_comes_first(demo):
    send("eins")
    send("zwei")

    assert [letter.subject for letter in mail.newest(5)] == ["zwei", "eins"]


@pytest.mark.django_db
def test_list_and_text_are_shown_escaped(demo):
    letter = send(subject="Hallo <script>")

    page = Client().get("/demo/mail/")
    text = Client().get(f"/demo/mail/{letter.name}/")

    assert page.status_code == text.status_code == 200
    assert "Hallo &lt;script&gt;" in page.content.decode()
    assert "Guten Tag &lt;b&gt;" in text.content.decode()
    assert "alert(1)" not in text.content.decode()


@pytest.mark.django_db
def test_the_html_part_is_shown_in_a_sandbox_that_loads_nothing(demo):
    letter = send()

    page = Client().get(f"/demo/mail/{letter.name}/html/")

    policy = page.headers["Content-Security-Policy"]
    assert page.content.decode().strip() == HOSTILE
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "script-src" not in policy


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["", "20260101T000000000000-00000000/", "20260101T000000000000-00000000/html/"])
def test_outside_the_demo_there_is_nothing(settings, tmp_path, path):
    settings.DEMO, settings.DATA_DIR = False, tmp_path

    assert Client().get(f"/demo/mail/{path}").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["20260101T000000000000-00000000", "../../../etc/passwd", "..%2f..%2fsecrets", "x", "lock.eml"]
)
def test_an_unknown_or_twisted_name_is_not_found(demo, name):
    send()

    assert Client().get(f"/demo/mail/{name}/").status_code == 404
    assert mail.read(name) is None


@pytest.mark.django_db
def test_demo_pages_only_show(demo):
    assert Client().post("/demo/mail/").status_code == 405


def test_a_mail_of_the_outbox_arrives_in_both_parts(demo, settings):
    settings.MAILERS = {"default": {"BACKEND": "portal.demo.mail.FolderBackend"}}
    message = OutboxMessage(
        template="numbers/deactivated",
        language="de",
        recipient="alice@acme.example",
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        context={
            "name": "Alice",
            "numbers": [{"number": "030 23125012", "label": ""}],
            "count": 1,
            "more": 0,
            "last_active_on": "2026-10-31",
            "inactive_from": "2026-11-01",
        },
    )

    outbox.compose(message).send()

    letter = mail.newest(1)[0]
    assert letter.subject == "Rufnummer seit 01.11.2026 inaktiv"
    assert "030 23125012" in letter.text
    assert "Rufnummer seit 01.11.2026 inaktiv" in letter.html
