"""The address of a number's fax printer, as people put it into their computer."""

from urllib.parse import urlsplit

from django.conf import settings

from numbers.models import PhoneNumber


def uri(number: PhoneNumber) -> str:
    """Return the printer's address; its path names the number by its digits."""
    return address(number.e164[1:])


def address(digits: str) -> str:
    """Return the address of the printer of a number (its digits), whether there is such a number or not."""
    portal = urlsplit(settings.PORTAL_URL)
    secure = portal.scheme == "https"
    port = portal.port or (443 if secure else 80)  # IPP's own port is another
    return f"{'ipps' if secure else 'ipp'}://{portal.hostname}:{port}/ipp/fax/{digits}"
