"""People click while PostgreSQL crashes or Redis is gone: calm pages, no acknowledged click lost (R3, R4)."""

import http.client
import json
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from tests import oracle
from tests.chaos import stack as chaos

WORLD = """
import json, sys
import django
django.setup()
from datetime import date
from decimal import Decimal
from django.db import transaction
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from portal import access, tenancy
from tests import make
with transaction.atomic(), tenancy.every_tenant():
    make.price("standard", monthly=Decimal("2.90"), valid_from=date(2020, 1, 1))
    acme = make.tenant("Acme GmbH", slug="acme")
    alice = make.user("alice@acme.example", "Alice Adler", {acme: "administrator"})
with tenancy.tenant_transaction(acme.pk):
    numbers = [make.number(f"+4999{n:06}").pk for n in range(int(sys.argv[1]))]
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(alice.pk), alice.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "portal.door.Backend"
session.save()
print(json.dumps({"session": session.session_key, "tenant": access.tenant_token(acme.pk), "numbers": numbers}))
"""
CSRF = "x" * 32


@dataclass
class Site:
    """The web process under gunicorn, with an administrator signed in."""

    stack: chaos.Stack
    port: int
    session: str
    tenant: str
    numbers: list[int]
    answers: list[tuple[int, int, str, float]] = field(default_factory=list)

    def click(self, number: int, verb: str = "activate") -> int:
        """Confirm a dialog and note (number, status, page, seconds); status 0 is no answer at all."""
        date = oracle.as_date(oracle.end_of_following_month(datetime.now(tz=UTC)))
        form = {"csrfmiddlewaretoken": CSRF, "_tenant": self.tenant, "operation_id": uuid.uuid4(), "price_seen": "2.90"}
        form |= {"date_seen": date}
        headers = {
            "Cookie": f"portal_session={self.session}; portal_csrf={CSRF}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        began = time.monotonic()
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as line:
                line.request("POST", f"/numbers/{number}/{verb}/", urlencode(form), headers)
                answer = line.getresponse()
                status, page = answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            status, page = 0, repr(error)
        self.answers.append((number, status, page, time.monotonic() - began))
        return status

    @property
    def acknowledged(self) -> set[int]:
        return {number for number, status, *_ in self.answers if status in (200, 302)}


@contextmanager
def serving(ground, count):
    """A site with so many inactive numbers."""
    with chaos.running(ground) as stack:
        made = subprocess.run(
            [sys.executable, "-c", WORLD, str(count)],
            cwd=chaos.ROOT,
            env=stack.env("worker"),
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stderr
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        argv = [sys.executable, "-m", "gunicorn", "portal.wsgi:application", "--workers", "2", "--no-control-socket"]
        stack.start([*argv, "--bind", f"127.0.0.1:{port}"], "web")
        site = Site(stack, port, **json.loads(made.stdout.splitlines()[-1]))
        chaos.until(lambda: answers(port), seconds=60, what=f"the site answers\n{stack.log()}")
        yield site


def answers(port):
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as line:
            line.request("GET", "/healthz")
            answer = line.getresponse()
            answer.read()
            return answer.status == 200
    except (OSError, http.client.HTTPException):
        return False


def check_whole(site):
    """Every acknowledged click stands, and what stands is whole: state, slot, event and mail."""
    active = {row[0] for row in site.stack.query("SELECT id FROM numbers_phonenumber WHERE state = 'active'")}
    events = [
        row[0] for row in site.stack.query("SELECT object_id FROM portal_auditevent WHERE verb = 'number.activated'")
    ]
    slots = [
        row[0]
        for row in site.stack.query("SELECT n.id FROM billing_slot s JOIN numbers_phonenumber n ON e164 = s.label")
    ]
    mails = site.stack.query("SELECT count(*) FROM portal_outboxmessage WHERE template = 'numbers/activated'")
    assert site.acknowledged <= active
    assert sorted(events) == sorted(slots) == sorted(active)
    assert mails == [(len(active),)]


@pytest.mark.timeout(600)
def test_postgresql_crashes_while_people_click(ground, scale):
    count, crashes = scale(1_000), scale(20)
    with serving(ground, count) as site:
        todo, crashing = iter(site.numbers), threading.Event()
        hand_out = threading.Lock()

        def click():
            while True:
                with hand_out:
                    number = next(todo, None)
                if number is None:
                    return
                while site.click(number) not in (200, 302) and not crashing.is_set():
                    time.sleep(0.1)

        people = [threading.Thread(target=click) for _ in range(3)]
        for person in people:
            person.start()
        back = []
        for turn in range(crashes):
            chaos.until(
                lambda: len(site.acknowledged) >= count * (turn + 1) // (crashes + 2),  # noqa: B023
                seconds=120,
                what=f"clicks go through\n{site.stack.log()}",
            )
            site.stack.servers.postgres.restart(immediate=True)
            back.append(chaos.until(lambda: answers(site.port), seconds=15, what="the site is back"))
        for person in people:
            person.join()

        statuses = [status for _, status, *_ in site.answers]
        refused = [page for _, status, page, _ in site.answers if status not in (200, 302)]
        titles = {(status, page.partition("<title>")[2].partition("<")[0]) for _, status, page, _ in site.answers}
        print(f"{len(statuses)} answers, {len(refused)} refused, back after {[round(s, 1) for s in back]} s: {titles}")
        assert len(site.acknowledged) == count
        assert set(statuses) <= {200, 302, 500, 503}
        assert all("Hier ist etwas schiefgegangen" in page and "Traceback" not in page for page in refused), refused[0]
        check_whole(site)


@pytest.mark.serial
@pytest.mark.timeout(600)
def test_redis_is_gone_while_people_click_and_effects_follow_its_return(ground, scale):
    sweep = str(scale(30))  # 30 s in the proof, as in production
    with serving(ground, 40) as site:
        stack = site.stack
        stack.worker(PORTAL_SWEEP_SECONDS=sweep)
        stack.beat(PORTAL_SWEEP_SECONDS=sweep)
        usual = [site.click(number) for number in site.numbers[:20]]
        chaos.until(lambda: waiting(stack) == 0, seconds=60, what=f"mail goes out\n{stack.log()}")
        stack.servers.redis.stop()

        without = [site.click(number) for number in site.numbers[20:]]

        assert waiting(stack) == 20
        check_whole(site)
        without += [site.click(number, verb) for number in site.numbers[:5] for verb in ("deactivate", "withdraw")]
        assert set(usual + without) <= {200, 302}
        before, during = [[a[3] for a in site.answers[part]] for part in (slice(20), slice(20, None))]
        slow = [seconds for seconds in during if seconds > max(before) + 0.3]
        print(
            f"median {statistics.median(before):.3f} s, without Redis {statistics.median(during):.3f} s, slow: {slow}"
        )
        assert slow == []
        assert statistics.median(during) < statistics.median(before) + 0.1
        assert waiting(stack) == 30

        stack.servers.redis.start()
        took = chaos.until(lambda: waiting(stack) == 0, seconds=60, what=f"mail follows\n{stack.log()}")
        print(f"effects {took:.1f} s after Redis came back")


def waiting(stack):
    return stack.query("SELECT count(*) FROM portal_outboxmessage WHERE state = 'pending'")[0][0]
