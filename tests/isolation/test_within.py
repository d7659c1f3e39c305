"""Within one tenant: a staff member reaches nothing of a colleague's, nobody a call of a former holder's time.

Everything of the colleague, of the former holder and of the other tenant carries strings that occur nowhere else. All
URLs are walked with all ids there are, every file is opened, every log line and every mail is read.
"""

import io
import logging
import zipfile
from uuid import uuid4

import pypdfium2
import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from structlog.testing import capture_logs

from numbers import itemisation
from numbers.models import Forwarding, Helpline, PhoneNumber
from portal import outbox
from portal.access import tenant_token
from portal.models import OutboxMessage
from portal.tenancy import tenant_transaction
from staff import settings as staff_settings
from tests import calling, make
from tests.conftest import NOW
from tests.isolation import walk, world
from tests.isolation.routes import ROLE, ROUTES, Route

# The other party's numbers, by who must not show where. 0221 4710 xxx
FORMER, COLLEAGUES, HELPLINE, REVERSED, BEFORE_ORDER, FOREIGN, OWN = 111, 222, 333, 444, 555, 666, 777
SECRETS = {n: f"2214710{n}" for n in (FORMER, COLLEAGUES, HELPLINE, REVERSED, BEFORE_ORDER, FOREIGN)}
MONTH = {"year": 2026, "month": 11}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def peer(kind):
    return f"+492214710{kind}"


@pytest.fixture
def office(cast, as_operator):
    """Acme: Bob has a number that heron Former had; heron Colleague has another one. Globex has a call as well."""
    calling.make_months()
    with tenant_transaction(cast.globex.pk, user_id=cast.carl.pk):
        foreign = make.number("+496990009123", state="active", area_code="69", label="canary label")
    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        staff_settings.change({"sees_own_calls": True}, by=cast.alice, at=NOW)
        itemisation.order(masked=False, declaration=itemisation.DECLARATION, by=cast.alice, at=calling.days_ago(40))
        mine, theirs = make.number("+493023125010", state="active"), make.number("+493023125811", state="active")
        PhoneNumber.objects.filter(pk=theirs.pk).update(label="heron label", note="heron note")
        Forwarding.objects.create(number=theirs, when="always", destination="sip:heron@phone.example", changed_at=NOW)
        bob, former = make.member("Bob Brandt", user=cast.bob), make.member("heron Former", email="heron@f.example")
        colleague = make.member("heron Colleague", email="heron@c.example", department="heron department")
        calling.assign(mine, former, calling.days_ago(60), calling.days_ago(10))
        calling.assign(mine, bob, calling.days_ago(10))
        calling.assign(theirs, colleague, calling.days_ago(60))
    with as_operator():
        Helpline.objects.create(number=peer(HELPLINE), name="help")
    calling.take(
        calling.line(mine, calling.days_ago(12), peer=peer(FORMER)),
        calling.line(mine, calling.days_ago(2), peer=peer(OWN)),
        calling.line(mine, calling.days_ago(2), peer=peer(HELPLINE)),
        calling.line(mine, calling.days_ago(2), peer=peer(REVERSED), direction="in", reverse_charged=True),
        calling.line(mine, calling.days_ago(45), peer=peer(BEFORE_ORDER)),
        calling.line(theirs, calling.days_ago(2), peer=peer(COLLEAGUES)),
        calling.line(foreign, calling.days_ago(2), peer=peer(FOREIGN)),
    )
    ids = {"numbers": [mine.pk, theirs.pk, foreign.pk], "people": [bob.pk, former.pk, colleague.pk]}
    return cast, ids


def signed_in(user):
    client = Client(raise_request_exception=False)
    client.force_login(user)
    make.just_signed_in(client, user)
    return client


def said(response):
    """Return everything an answer says: headers, page, the text of a PDF, every file of a ZIP."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    kind = response.headers.get("Content-Type", "")
    if kind == "application/pdf":
        pages = pypdfium2.PdfDocument(body)
        text = "\n".join(page.get_textpage().get_text_bounded() for page in pages)
    elif kind == "application/zip":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            text = "\n".join(f"{name}\n{archive.read(name).decode()}" for name in archive.namelist())
    else:
        text = body.decode("utf-8", "replace")
    return f"{response.headers}\n{text}"


def shown(text, *kinds, words=()):
    """Return which secrets a text holds, however its numbers are written."""
    side = world.Side(None, None, (*words, *(SECRETS[kind] for kind in kinds)))
    return world.seen(side, walk.meant(text))


def test_a_word_in_a_token_is_no_secret():
    token = 'name="csrfmiddlewaretoken" value="{}"'

    assert shown(token.format("QxHeRoNzz"), words=("heron",)) == []
    assert shown(token.format("Qx") + "heron", words=("heron",)) == ["heron"]


def urls(ids):
    """Yield every URL of a tenant's with every id there is."""
    for name in walk.walked(None):
        route = ROUTES[name]
        if isinstance(route, Route):
            keys = [*ids["numbers"], *ids["people"]] if route.owns else [None]
            for key in keys:
                yield name, walk.address(name, key)
            if name == "numbers:itemised_file":
                yield name, reverse(name, kwargs=MONTH | {"form": "pdf"})


# The billing contact sees what each number costs, and so which there are.
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("who", "words"), [("bob", ("heron", "canary", "23125811")), ("dora", ("heron", "canary"))])
def test_a_staff_member_reaches_nothing_of_a_colleague(office, who, words):
    cast, ids = office
    client = signed_in(getattr(cast, who))
    guard = {"_tenant": tenant_token(cast.acme.pk)}
    found, reached = [], set()
    for name, url in urls(ids):
        allowed = ROLE[who] in ROUTES[name].roles
        for verb in ("get", "post"):
            fields = guard | {
                "operation_id": str(uuid4()),
                "staff_member": ids["people"][2],
                "number": ids["numbers"][1],
            }
            response = client.get(url) if verb == "get" else client.post(url, fields)
            text = said(response)
            found += [f"{verb} {url}: shows {secret}" for secret in shown(text, *SECRETS, words=words)]
            if not allowed and response.status_code not in (403, 405):
                found.append(f"{verb} {url}: {response.status_code}")
            if response.status_code == 200:
                reached.add(name)

    assert found == []
    assert reached == {n for n, r in ROUTES.items() if isinstance(r, Route) and ROLE[who] in r.roles and r.get == 200}


def test_bob_sees_his_own(office):
    """Else the walk above proves nothing."""
    cast, _ids = office

    text = said(signed_in(cast.bob).get(reverse("numbers:own_calls")))

    assert world.seen(world.Side(None, None, (f"2214710{OWN}", "2214710xxx")), text) == [f"2214710{OWN}", "2214710xxx"]


def test_an_administrator_sees_no_call_that_may_not_be_listed(office):
    cast, ids = office
    alice = signed_in(cast.alice)
    found, listed = [], 0
    for _name, url in urls(ids):
        text = said(alice.get(url))
        listed += bool(world.seen(world.Side(None, None, (f"2214710{OWN}",)), text))
        found += [
            f"{url}: shows {s}" for s in shown(text, HELPLINE, REVERSED, BEFORE_ORDER, FOREIGN, words=("canary",))
        ]

    assert found == []
    assert listed >= 4  # number, bill, CSV, PDF


def test_no_export_purge_or_error_tells_of_a_former_holders_calls(office, monkeypatch, caplog):
    cast, ids = office
    alice, bob = signed_in(cast.alice), signed_in(cast.bob)
    guard = {"_tenant": tenant_token(cast.acme.pk)}
    with capture_logs() as logged, caplog.at_level(logging.DEBUG):
        answers = [
            bob.post(reverse("numbers:my_data"), guard | {"operation_id": str(uuid4())}),
            alice.post(reverse("numbers:person_data", args=[ids["people"][0]]), guard | {"operation_id": str(uuid4())}),
            alice.get(reverse("numbers:assign", args=[ids["numbers"][0]])),
            alice.get(reverse("numbers:history")),
            alice.get(reverse("numbers:person_erase", args=[ids["people"][1]])),
        ]
        monkeypatch.setattr("numbers.calls.duration", lambda seconds: 1 // 0)  # in the middle of a row
        for client, name, args in ((bob, "own_calls", []), (alice, "calls", [ids["numbers"][0]]), (bob, "my_data", [])):
            broken = client.get(reverse(f"numbers:{name}", args=args))
            assert broken.status_code == (200 if name == "my_data" else 500)
            answers.append(broken)

    assert [shown(said(answer), *SECRETS) for answer in answers] == [[]] * len(answers)
    assert "2214710" not in f"{logged}{caplog.text}"


def test_no_mail_tells_of_a_call(office):
    cast, ids = office
    alice = signed_in(cast.alice)
    guard = {"_tenant": tenant_token(cast.acme.pk), "operation_id": str(uuid4())}
    alice.post(reverse("numbers:person_data", args=[ids["people"][2]]), guard)

    with tenant_transaction(cast.acme.pk):
        mails = [outbox.compose(mail) for mail in OutboxMessage.objects.all()]
    assert mails
    assert not [m.subject for m in mails if "2214710" in f"{m.subject}{m.body}{m.alternatives}".replace("\xa0", "")]
