"""The address of a number's fax printer, as people put it into their computer."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from numbers.models import PhoneNumber

EXAMPLE = "+493023125999"  # where no fax ever arrives


@dataclass(frozen=True, slots=True)
class Printer:
    """A number's fax printer: server and port, the path (queue), and both together as IPP and as web address."""

    server: str
    port: int
    queue: str
    uri: str
    url: str
    name: str


def command(of: Printer, username: str, secret: str) -> str:
    """Return the command by which CUPS adds the printer, with the person's own values."""
    scheme, _, where = of.uri.partition("://")
    return f"lpadmin -p {of.name} -E -v '{scheme}://{username}:{secret}@{where}' -m everywhere"


def printing(of: Printer) -> str:
    """Return the command that prints a file as a fax."""
    return f"lp -d {of.name} -o phone={EXAMPLE} letter.pdf"


def uri(number: PhoneNumber) -> str:
    """Return the printer's address; its path names the number by its digits."""
    return address(number.e164[1:])


def address(digits: str) -> str:
    """Return the address of the printer of a number (its digits), whether there is such a number or not."""
    return _printer(digits).uri


def printer(number: PhoneNumber) -> Printer:
    """Return the printer of a number; its queue names the number by its digits, its name is one for any computer."""
    return _printer(number.e164[1:])


def _printer(digits: str) -> Printer:
    portal = urlsplit(settings.PORTAL_URL)
    secure = portal.scheme == "https"
    port = portal.port or (443 if secure else 80)  # IPP's own port is another
    server, queue = portal.hostname or "", f"ipp/fax/{digits}"
    where = f"{server}:{port}/{queue}"
    return Printer(
        server,
        port,
        queue,
        f"{'ipps' if secure else 'ipp'}://{where}",
        f"{portal.scheme}://{where}",
        f"Fax-0{digits[2:]}",
    )
