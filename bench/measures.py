"""What is measured, and the goals."""

import csv
import gzip
import secrets
import statistics
import subprocess
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from bench import calls, letters, pool, world
from bench.client import Target, throughput
from bench.result import Result, at_least, at_most
from bench.servers import ADMIN, FLOOR, WEB
from numbers import effects, lifecycle
from numbers.models import PhoneNumber
from portal import berlin
from portal.access import tenant_token
from portal.models import Membership, Tenant, User
from portal.tenancy import every_tenant, tenant_transaction


class People:
    """An administrator of the measured tenants and an agent of the operator, both signed in."""

    def __init__(self) -> None:
        with every_tenant(), transaction.atomic():
            self.alice = self._user("bench-alice@acme.example", is_operator=False)
            self.olga = self._user("bench-olga@operator.example", is_operator=True)
            for tenant in Tenant.objects.filter(pk__in=[world.BIG, world.MIDDLE, world.SMALL]):
                Membership.objects.get_or_create(tenant=tenant, user=self.alice, defaults={"role": "administrator"})

    def _user(self, email: str, *, is_operator: bool) -> User:
        user = User.objects.filter(email=email).first()
        return user or User.objects.create_user(email, "bench-only-password", name="Bench", is_operator=is_operator)

    def target(self, name: str, port: int, path: str, tenant: int, **headers: str) -> Target:
        user = self.olga if port == ADMIN else self.alice
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "portal.door.Backend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session["tenant_id"] = tenant
        session["began_at"] = session["seen_at"] = int(time.time())
        session.create()
        csrf = secrets.token_hex(16)
        cookies = {"portal_session": str(session.session_key), "portal_csrf": csrf}
        return Target(name, port, path, cookies, {"X-CSRFToken": csrf, "X-Tenant": tenant_token(tenant), **headers})


PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def all_of_them(admin_url: str, *, rounds: int, processes: list[subprocess.Popen[bytes]]) -> list[Result]:
    people = People()
    raw = psycopg.connect(make_conninfo(admin_url, dbname="portal"))
    results = _pages(people, rounds)
    results += _click(people, rounds)
    results += _bulk(people, raw)
    results += _export(people, processes[0])
    results += _month_end(raw)
    results += pool.measure(raw, rounds=rounds)
    results += letters.measure(people.alice)
    raw.close()
    return results + of_calls(admin_url)


def of_calls(admin_url: str) -> list[Result]:
    """Measure traffic data alone, which needs no server beside the database's."""
    return calls.measure(admin_url, People().alice)


def _interleaved(targets: list[Target], rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {target.name: [] for target in targets}
    for round_ in range(rounds + 3):
        for target in targets:
            elapsed, status, _ = target.get()
            if status != 200:
                raise SystemExit(f"{target.name} answered {status}")
            if round_ >= 3:  # the first rounds warm up
                times[target.name].append(elapsed)
    return {name: statistics.median(values) for name, values in times.items()}


def _pages(people: People, rounds: int) -> list[Result]:
    tenant = world.MIDDLE
    floor = people.target("floor", FLOOR, "/full/", tenant)
    part = people.target("floor part", FLOOR, "/part/", tenant)
    page = people.target("overview", WEB, "/numbers/", tenant)
    partial = people.target("overview part", WEB, "/numbers/", tenant, **PARTIAL)
    admin = people.target("admin", ADMIN, f"/admin/numbers/phonenumber/?tenant__id__exact={tenant}", tenant)
    big = people.target("overview 50,000", WEB, "/numbers/", world.BIG)
    small = people.target("overview 859", WEB, "/numbers/", world.SMALL)
    ms = _interleaved([floor, part, page, partial, admin, big, small], rounds)
    rates = {t.name: [] for t in (floor, page, admin)}
    for _ in range(3):
        for target in (floor, page, admin):
            rates[target.name].append(throughput(target))
    per_second = {name: statistics.median(values) for name, values in rates.items()}
    body = page.get()[2]
    return [
        at_most("overview of 50 / floor page", ms["overview"], ms["floor"], 1.5),
        at_least("admin change list / overview", ms["admin"], ms["overview"], 3, "ms"),
        at_most("table-only answer / floor's", ms["overview part"], ms["floor part"], 1.4),
        at_least("overview / floor, 4 clients", per_second["overview"], per_second["floor"], 0.6, "req/s"),
        at_least("overview / admin, 4 clients", per_second["overview"], per_second["admin"], 5, "req/s"),
        at_most("overview of the tenant of 50,000 / of 859", ms["overview 50,000"], ms["overview 859"], 1.5),
        Result("overview HTML", f"{len(body) / 1000:.1f} kB", "≤ 60 kB", len(body) <= 60_000),
        _compressed(body),
    ]


def _compressed(body: bytes) -> Result:
    size = len(gzip.compress(body, 6)) / 1000
    return Result("overview HTML, compressed", f"{size:.1f} kB", "≤ 8 kB", size <= 8)


def _click(people: People, rounds: int) -> list[Result]:
    const = people.target("bare answer", FLOOR, "/const/", world.MIDDLE)
    web = people.target("click", WEB, "/numbers/", world.MIDDLE, **PARTIAL)
    with every_tenant():
        ids = list(
            PhoneNumber.objects.filter(tenant_id=world.MIDDLE)
            .unscheduled(timezone.now())
            .order_by("e164")
            .values_list("pk", flat=True)[: rounds + 3]
        )
    bare, clicks = [], []
    last_active_on = berlin.end_of_following_month(timezone.now()).isoformat()
    for n, pk in enumerate(ids):
        fields = {"operation_id": str(uuid.uuid4()), "date_seen": last_active_on, "_tenant": tenant_token(world.MIDDLE)}
        first = const.get()[0]
        elapsed, status, body = web.post(f"/numbers/{pk}/deactivate/", fields)
        if status != 200:
            raise SystemExit(f"click answered {status}: {body[:300]!r}")
        if n >= 3:
            bare.append(first)
            clicks.append(elapsed)
    return [
        at_most("one-click change / bare signed-in answer", statistics.median(clicks), statistics.median(bare), 2.5)
    ]


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _bulk(people: People, raw: psycopg.Connection) -> list[Result]:
    with every_tenant():
        rows = PhoneNumber.objects.filter(tenant_id=world.BIG).unscheduled(timezone.now())
        ids = list(rows.order_by("e164").values_list("pk", flat=True)[:3000])
    admin = people.target("admin", ADMIN, "/admin/numbers/phonenumber/", world.BIG)
    raws, ours, admins = [], [], []
    for n in range(4):
        first, second, third = ids[:1000], ids[1000:2000], ids[2000:3000]
        raws.append(_timed(lambda first=first, n=n: _raw_update(raw, first, f"raw {n}")))
        verb = lifecycle.schedule_deactivation if n % 2 == 0 else lifecycle.withdraw
        ours.append(_timed(lambda second=second, verb=verb: _our_bulk(people.alice, second, verb)))
        fields = {"action": "relabel", "_selected_action": third}
        admins.append(_timed(lambda fields=fields: _expect(admin.post("/admin/numbers/phonenumber/", fields), 302)))
    base, portal_, admin_ = statistics.median(raws), statistics.median(ours), statistics.median(admins)
    return [
        at_most("bulk of 1,000 with slots, audit, messages / raw UPDATE", portal_, base, 10),
        at_least("admin's action on 1,000 / our bulk", admin_, portal_, 20, "ms"),
    ]


def _expect(answer: tuple[float, int, bytes], status: int) -> None:
    if answer[1] != status:
        raise SystemExit(f"answered {answer[1]}")


def _raw_update(raw: psycopg.Connection, ids: list[int], label: str) -> None:
    raw.execute("UPDATE numbers_phonenumber SET label = %s WHERE id = ANY(%s)", [label, ids])
    raw.commit()


def _our_bulk(by: User, ids: list[int], verb: Callable[..., list[object]]) -> None:
    at = timezone.now()
    with tenant_transaction(world.BIG):
        locked = PhoneNumber.objects.locked(ids)
        if verb is lifecycle.schedule_deactivation:
            outcomes = verb(locked, date_seen=berlin.end_of_following_month(at), by=by, at=at)
        else:
            outcomes = verb(locked, by=by, at=at)
    if {str(o.result) for o in outcomes} != {"done"}:  # type: ignore[attr-defined]
        raise SystemExit(f"bulk: {outcomes[:3]}")


def _export(people: People, process: subprocess.Popen[bytes]) -> list[Result]:
    copy = people.target("COPY", FLOOR, "/copy/", world.MIDDLE)
    export = people.target("export", WEB, "/numbers/export.csv", world.MIDDLE)
    ms = _interleaved([copy, export], 10)
    lines = len(list(csv.reader(export.get()[2].decode("utf-8-sig").splitlines(), delimiter=";"))) - 1
    if lines < 500:
        raise SystemExit(f"The export has {lines} lines.")
    before = _memory(process)
    people.target("big", WEB, "/numbers/export.csv", world.BIG).get()
    grown = (_memory(process) - before) / 1024
    return [
        at_most(f"CSV of {lines:,} rows / COPY", ms["export"], ms["COPY"], 4),
        Result("memory grown by an export of 50,000 rows", f"{grown:.1f} MB", "≤ 10 MB", grown <= 10),
    ]


def _memory(process: subprocess.Popen[bytes]) -> int:
    """Return the largest peak of a server's workers so far, in kB."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    peaks = [
        int(line.split()[1])
        for child in children
        for line in Path(f"/proc/{child}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return max(peaks)


def _month_end(raw: psycopg.Connection) -> list[Result]:
    """Compare slices of due numbers, interleaved: one bare UPDATE against the job's batches."""
    at = timezone.now()
    yesterday = berlin.day(at) - timedelta(days=1)
    size, bare, job, longest = 20_000, [], [], 0.0
    for n in range(6):
        ids = raw.execute(
            "UPDATE numbers_phonenumber SET state = 'deactivation_scheduled', last_active_on = %s WHERE id IN"
            " (SELECT id FROM numbers_phonenumber WHERE state = 'active' ORDER BY id DESC LIMIT %s) RETURNING id",
            [yesterday, size],
        ).fetchall()
        raw.commit()
        raw.execute("CHECKPOINT")
        raw.commit()
        if n % 2 == 0:
            bare.append(len(ids) / _seconds(lambda ids=ids: _bare_update(raw, [i for (i,) in ids])))
        else:
            began = time.perf_counter()
            longest = max(longest, _run_job(at))
            job.append(len(ids) / (time.perf_counter() - began))
    return [
        at_least("month-end job / bare UPDATE", statistics.median(job), statistics.median(bare), 0.5, "rows/s"),
        Result("longest lock of the month-end job", f"{longest:.2f} s", "< 1 s", longest < 1),
    ]


def _seconds(work: Callable[[], object]) -> float:
    return _timed(work) / 1000


def _bare_update(raw: psycopg.Connection, ids: list[int]) -> None:
    raw.execute(
        "UPDATE numbers_phonenumber SET state = 'inactive', last_active_on = NULL, active_since = NULL"
        " WHERE id = ANY(%s)",
        [ids],
    )
    raw.commit()


def _run_job(at: datetime) -> float:
    """Run the job's batches and return the longest transaction in seconds."""
    longest, place = 0.0, effects.Cursor()
    with every_tenant():
        while place is not None:
            began = time.perf_counter()
            with transaction.atomic():
                _, place = effects.take_effect(as_of=berlin.day(at), at=at, after=place)
            longest = max(longest, time.perf_counter() - began)
    connection.close()
    return longest
