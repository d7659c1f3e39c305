"""The printer before programs that print: CUPS and ipptool, through gunicorn, whose bodies come in chunks.

The suite for IPP 1.1 skips what is optional and not offered: Print-URI, Send-URI, Hold-Job, several copies, PostScript.
"""

import re
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from fax import revoking
from fax.models import FaxCredential, FaxJob
from portal import tenancy
from tests import make
from tests.conftest import NOW
from tests.fax import cups, gunicorn, papers
from tests.fax.printing import SECRET

TESTS = Path("/usr/share/cups/ipptool")
NUMBER = "+493023125020"


@dataclass(frozen=True)
class Site:
    """A served portal in which Bob may print to a fax number of Acme's."""

    port: int
    log: Path
    credential: FaxCredential
    cast: SimpleNamespace

    def uri(self, secret: str = SECRET) -> str:
        return f"ipp://{self.credential.username}:{secret}@127.0.0.1:{self.port}/ipp/fax/{NUMBER[1:]}"

    def ipptool(self, name: str, document: Path, secret: str = SECRET) -> subprocess.CompletedProcess[str]:
        argv = ["ipptool", "-tv", "-f", str(document), self.uri(secret), str(TESTS / f"{name}.test")]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60)

    def jobs(self) -> list[FaxJob]:
        with tenancy.tenant_transaction(self.cast.acme.pk):
            return list(FaxJob.objects.order_by("pk"))


@pytest.fixture
def site(transactional_db, cast, tmp_path):
    with tenancy.tenant_transaction(cast.acme.pk):
        number = make.number(NUMBER, state="active", usage="fax_shared")
        credential = make.fax_credential(number, make.member("Bob Brandt", user=cast.bob), SECRET)
    with gunicorn.serving(tmp_path) as (port, log):
        yield Site(port, log, credential, cast)


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.pdf"
    path.write_bytes(papers.pdf())
    return path


@pytest.mark.timeout(600)
def test_programs_that_print_find_a_printer_that_faxes(site, page, tmp_path):
    deliver_three_in_a_row(site, tmp_path)
    look_with_ipptool(site, page, tmp_path)


def deliver_three_in_a_row(site, tmp_path):
    """Print three pictures from a queue of CUPS, each to a number chosen while printing."""
    picture = tmp_path / "page.jpg"
    picture.write_bytes(papers.jpeg())
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:  # which its user may enter
        Path(place).chmod(0o755)
        with cups.serving(Path(place)) as printing:
            printing.run("lpadmin", "-p", "fax", "-E", "-v", site.uri(), "-m", "everywhere")
            until = time.monotonic() + 30  # the queue is there at once, what the printer can do is asked behind it
            while not list(Path(place).glob("**/ppd/fax.ppd")) and time.monotonic() < until:
                time.sleep(0.1)
            for last in range(3):
                printing.run("lp", "-d", "fax", "-o", f"phone=+49699000912{last}", str(picture))
            until = time.monotonic() + 60
            while [job.state for job in site.jobs()] != ["queued"] * 3 and time.monotonic() < until:
                time.sleep(0.1)
            log = printing.log()

    found = [(job.state, job.destination) for job in site.jobs()]
    assert found == [("queued", f"+49699000912{last}") for last in range(3)], log


def look_with_ipptool(site, page, tmp_path):
    """Run Debian's tests of printers, and print 30 MB with a wrong and with the right password."""
    for name in ("get-printer-attributes", "validate-job", "print-job", "create-job", "fax-job", "get-jobs"):
        done = site.ipptool(name, page)
        assert (name, done.returncode) == (name, 0), done.stdout

    suite = site.ipptool("ipp-1.1", page)
    counted = Counter(re.findall(r"\[(PASS|FAIL|SKIP)\]", suite.stdout))
    assert (suite.returncode, counted["FAIL"], counted["PASS"] >= 24) == (0, 0, True), suite.stdout

    with tenancy.tenant_transaction(site.cast.acme.pk):
        before = FaxJob.objects.count()
    large = tmp_path / "large.pdf"
    large.write_bytes(b"%PDF-1.7" + bytes(30_000_000))
    began = time.monotonic()
    refused = site.ipptool("print-job", large, "wrong")
    assert (refused.returncode, "not-authenticated" in refused.stdout) == (1, True), refused.stdout
    assert time.monotonic() - began < 5
    assert site.ipptool("print-job", large).returncode == 0  # in chunks, too
    stored = site.jobs()[-1]
    assert (len(site.jobs()), (tmp_path / "documents" / stored.document).stat().st_size) == (before + 1, 30_000_008)

    with tenancy.tenant_transaction(site.cast.acme.pk):
        revoking.end([site.credential], at=NOW)
    assert "not-authenticated" in site.ipptool("print-job", page).stdout
    log = site.log.read_text()
    assert ("500" in re.findall(r'" (\d{3}) ', log), SECRET in log, "page.pdf" in log) == (False, False, False)
