"""A print server as on a desk: Debian's CUPS with a configuration of its own, for one test."""

import os
import pwd
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from tests.fax.gunicorn import free_port

FILES = """
ServerRoot {place}/etc
RequestRoot {place}/spool
CacheDir {place}/cache
StateDir {place}/state
TempDir {place}/tmp
ServerBin /usr/lib/cups
DataDir /usr/share/cups
AccessLog {place}/access.log
ErrorLog {place}/error.log
PageLog {place}/page.log
User {user}
Group {group}
SystemGroup root
FileDevice Yes
"""
SERVER = """
Listen 127.0.0.1:{port}
LogLevel info
Browsing Off
DefaultAuthType None
WebInterface No
<Location />
  Order allow,deny
  Allow all
</Location>
<Location /admin>
  Order allow,deny
  Allow all
</Location>
<Policy default>
  JobPrivateAccess all
  JobPrivateValues none
  <Limit All>
    Order deny,allow
  </Limit>
</Policy>
"""


@dataclass(frozen=True)
class Cups:
    """A running print server."""

    port: int
    place: Path

    def run(self, program: str, *arguments: str) -> str:
        """Run one of its programs; return what it says."""
        where = f"127.0.0.1:{self.port}"
        done = subprocess.run([program, "-h", where, *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (program, done.stdout, done.stderr, self.log())
        return done.stdout

    def log(self) -> str:
        return (self.place / "error.log").read_text()[-4000:]


@contextmanager
def serving(place: Path) -> Iterator[Cups]:
    """Run a print server in a folder until the block ends."""
    user = pwd.getpwnam("lp") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    port = free_port()
    for name in ("etc/ppd", "spool/tmp", "cache", "state/certs", "tmp"):
        (place / name).mkdir(parents=True)
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", str(place)], check=True)
    names = {"place": place, "port": port, "user": user.pw_name, "group": "lp" if os.geteuid() == 0 else user.pw_gid}
    (place / "cups-files.conf").write_text(FILES.format(**names))
    (place / "cupsd.conf").write_text(SERVER.format(**names))
    argv = ["/usr/sbin/cupsd", "-f", "-c", str(place / "cupsd.conf"), "-s", str(place / "cups-files.conf")]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with closing(socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, (place / "error.log").read_text()
            time.sleep(0.05)
        yield Cups(port, place)
    finally:
        server.terminate()
        server.wait(10)
