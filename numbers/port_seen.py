"""What a page of a port order showed: its form sends it back, and a stale page changes nothing."""

import hashlib
import json

from django.utils.functional import Promise

from numbers import port_signed, porting
from numbers.models import PortOrder
from numbers.porting import PortRefused


def standing(order: PortOrder) -> str:
    """Return where an order stands, as far as it matters to whoever cancels it or asks for another date."""
    return f"{order.state}.{order.attempt}.{order.changes}.{int(porting.is_known_there(order))}"


def contents(order: PortOrder) -> str:
    """Return a digest of what the summary shows of an order: where it stands, and all that was entered."""
    printed = port_signed.printed(order, porting.numbers_of(order).e164s)
    said = [standing(order), printed, order.activate, order.temporary_id]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def expect(now: str, seen: str, otherwise: Promise) -> None:
    """Raise PortRefused with this sentence if the page had shown something else."""
    if now != seen:
        raise PortRefused(otherwise)
