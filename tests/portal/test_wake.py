"""Waking the worker while Redis is gone, silent or back: no click fails and none waits longer than 0.3 s."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from django.db import transaction

from portal import servers, wake

RINGER = """
import sys, time
import django
django.setup()
from portal import wake
wake.prepare()
print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "reset":
        wake._Breaker.silent_until = 0
    began = time.monotonic()
    if line.strip() == "ring":
        wake._ring("portal.tasks.send_messages")
    print(time.monotonic() - began, flush=True)
"""
TOLERANCE = 0.3  # the promise; the attempt itself ends after 0.2 s


class Ringer:
    """A web process as far as waking is concerned."""

    def __init__(self, process):
        self.process = process

    def say(self, word):
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def ring(self):
        return self.say("ring")

    def again(self):
        """Ring as after the ten seconds of silence."""
        self.say("reset")
        return self.ring()


@contextmanager
def ringer(redis_url):
    env = os.environ | {
        "PORTAL_PROCESS": "web",
        "PORTAL_DEMO": "1",
        "REDIS_URL": redis_url,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", RINGER], env=env, text=True, **pipes) as process:
        assert process.stdout.readline() == "ready\n"
        yield Ringer(process)
        process.stdin.close()


def queued(place):
    with socket.socket(socket.AF_UNIX) as redis:
        redis.connect(str(servers.socket_dir(place) / "redis.sock"))
        redis.sendall(b"LLEN celery\r\n")
        return int(redis.recv(20)[1:])


@pytest.mark.serial
def test_a_missing_redis_costs_next_to_nothing(tmp_path):
    with ringer(f"unix://{tmp_path}/none.sock?db=0") as web:
        assert [web.ring() < TOLERANCE, web.ring() < 0.01, web.again() < TOLERANCE] == [True] * 3


@pytest.mark.serial
def test_a_redis_that_accepts_and_never_answers_costs_one_click(tmp_path):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(f"{tmp_path}/s")
        silent.listen(50)
        with ringer(f"unix://{tmp_path}/s?db=0") as web:
            first, second, later = web.ring(), web.ring(), web.again()

    assert first < TOLERANCE
    assert second < 0.01  # the breaker
    assert later < TOLERANCE


@pytest.mark.serial
def test_redis_stops_freezes_and_comes_back_under_a_living_process():
    with (
        servers.scratch() as place,
        servers.running(place, postgres=False, durable=False) as own,
        ringer(own.redis_url) as web,
    ):
        assert web.ring() < TOLERANCE
        assert queued(place) == 1
        process = own.redis.process

        process.send_signal(19)  # SIGSTOP: connections stay open and nobody answers
        frozen = [web.ring(), web.ring(), web.again()]
        process.send_signal(18)
        web.again()
        after_the_freeze = queued(place)

        own.redis.stop()
        gone = [web.again(), web.ring(), web.again()]
        own.redis.start()
        back = [web.again(), web.again()]

        assert max(frozen + gone + back) < TOLERANCE
        assert after_the_freeze >= 2
        assert queued(place) >= 1


@pytest.mark.django_db(transaction=True)
def test_a_bell_rings_once_after_the_commit_and_never_after_a_rollback(monkeypatch):
    rung = []
    monkeypatch.setattr(wake, "_ring", rung.append)

    with transaction.atomic():
        wake.later("a")
        wake.later("a")
        wake.later("b")
        assert rung == []
    assert wake.finish()
    assert rung == ["a", "b"]

    for _click in range(3):
        with transaction.atomic():
            wake.later("a")
    assert wake.finish()
    assert rung == ["a", "b", "a"]  # clicks that follow closely ring once

    with transaction.atomic():
        wake.later("c")
        transaction.set_rollback(True)
    assert wake.finish()
    assert rung == ["a", "b", "a"]


@pytest.mark.django_db(transaction=True)
def test_the_commit_stands_when_the_bell_cannot_ring(monkeypatch):
    from portal.celery import app

    def refuse(*_, **__):
        raise ConnectionError("no Redis")

    monkeypatch.setattr(app, "send_task", refuse)
    monkeypatch.setattr(wake._Breaker, "silent_until", 0.0)

    with transaction.atomic():
        wake.later("portal.tasks.send_messages")

    assert wake.finish()
    assert wake._Breaker.silent_until > time.monotonic() + 9
