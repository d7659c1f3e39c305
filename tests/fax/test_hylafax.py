"""HylaFAX as sending machine: Debian's own server with its queue; only who would dial is a script (rule F5)."""

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from PIL import Image

from fax import hylafax
from fax.hylafax import HylaFax
from fax.machine import Fate, GatewayError, Letter, Report
from fax.models import FaxReason
from tests.fax.gunicorn import free_port

SERVER, SPOOL, SETTINGS = Path("/usr/sbin/hfaxd"), Path("/var/spool/hylafax"), Path("/etc/hylafax")
# What faxsend would do: 2 is sent, 1 is failed for good; the reason goes into the job's file, its last argument.
DIAL = """#!/bin/sh
for job; do :; done
grep -q '^number:.*123$' "$job" && exit 2
echo 'status:Busy signal detected' >> "$job"
exit 1
"""
CONFIG = "CountryCode: 49\nAreaCode: 30\nDialStringRules: etc/dialrules\nSendFaxCmd: bin/dial\nNotifyCmd: /bin/true\n"


@contextmanager
def serving(place):
    """Run the server and its queue in a folder, with one modem that is none; yield the port."""
    shutil.copytree(SPOOL, place, dirs_exist_ok=True)
    for name in ("setup.cache", "dialrules"):
        shutil.copy(SETTINGS / name, place / "etc")
    (place / "etc" / "config").write_text(CONFIG)
    (place / "etc" / "config.ttyS9").write_text("FAXNumber: +49.30.1\nModemType: Class1\n")
    (place / "etc" / "hosts.hfaxd").write_text("^portal@.*:33::\n")
    (place / "bin" / "dial").write_text(DIAL)
    (place / "bin" / "dial").chmod(0o755)
    subprocess.run(["chown", "-R", "uucp:uucp", str(place)], check=True)
    (place / "etc" / "hosts.hfaxd").chmod(0o600)
    port, quiet = free_port(), {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    argv = [["/usr/sbin/faxq", "-D", "-q", str(place)]]
    argv += [[str(SERVER), "-d", "-q", str(place), "-i", str(port), "-l", "127.0.0.1"]]
    running = [subprocess.Popen(one, **quiet) for one in argv]
    try:
        _eventually(lambda: _modem_is_free(place))
        yield port
    finally:
        for process in running:
            process.terminate()
            process.wait(10)


def _modem_is_free(place):
    """Say what the modem's own process says between two calls."""
    said = subprocess.run(["/usr/sbin/faxmodem", "-q", str(place), "ttyS9"], stderr=subprocess.DEVNULL)
    return said.returncode == 0


def _eventually(done):
    until = time.monotonic() + 30
    while not done():
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.fixture
def letter(tmp_path):
    pages = tmp_path / "fax.tif"
    Image.new("1", (1728, 2292), 1).save(pages, compression="group4", dpi=(204, 196))
    return lambda key, destination: Letter(key, pages, 1, "+493023125020", destination)


@pytest.mark.skipif(not SERVER.exists() or os.geteuid() != 0, reason="Debian's hylafax-server is not there, or no root")
def test_a_real_server_takes_finds_and_reports_faxes(letter):
    with TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        with serving(Path(folder)) as port:
            machine = HylaFax("127.0.0.1", port, "portal")
            _eventually(lambda: _answers(machine))
            assert machine.find("key-1") == ""
            sent = machine.submit(letter("key-1", "+496990009123"))
            failed = machine.submit(letter("key-2", "+496990009124"))

            assert (machine.find("key-1"), machine.find("key-2")) == (sent, failed)
            _eventually(lambda: machine.poll(sent).fate == Fate.SENT)
            _eventually(lambda: _modem_is_free(Path(folder)) and machine.poll(failed).fate != Fate.SENDING)
            assert machine.poll(failed) == Report(Fate.FAILED, FaxReason.BUSY, "Busy signal detected")
            late = machine.submit(letter("key-3", "+496990009125"))
            machine.withdraw("key-3")
            machine.withdraw("key-4")
            _eventually(lambda: machine.poll(late).fate == Fate.FAILED)
            with pytest.raises(GatewayError, match="no such job"):
                machine.poll("4711")


def _answers(machine):
    try:
        return machine.find("") == ""
    except GatewayError:
        return False


def test_a_server_that_is_not_there_is_an_error_to_try_again(letter):
    machine = HylaFax("127.0.0.1", free_port(), "portal", seconds=1)

    for ask in (
        lambda: machine.submit(letter("k", "+496990009123")),
        lambda: machine.find("k"),
        lambda: machine.poll("1"),
    ):
        with pytest.raises(GatewayError, match="Refused"):
            ask()


@pytest.mark.parametrize(
    ("state", "status", "report"),
    [
        ("D", "", Report(Fate.SENT)),
        ("R", "", Report(Fate.SENDING)),
        ("S", "Busy signal detected", Report(Fate.SENDING, detail="Busy signal detected")),
        ("F", "Busy signal detected; too many attempts to dial", FaxReason.BUSY),
        ("F", "No answer from remote; too many attempts to dial", FaxReason.NO_ANSWER),
        ("F", "No carrier detected", FaxReason.NO_FAX),
        ("F", "Blacklisted by modem", FaxReason.REJECTED),
        ("F", "Kill time expired", FaxReason.INTERRUPTED),
    ],
)
def test_what_the_server_writes_becomes_a_reason(state, status, report):
    found = hylafax._report(state, status)

    assert found == (report if isinstance(report, Report) else Report(Fate.FAILED, report, status))
