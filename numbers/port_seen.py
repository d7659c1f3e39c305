"""What a page of a port order showed: its form sends it back, and a stale page changes nothing."""

import hashlib
import json
from typing import Any

from django.utils.functional import Promise

from numbers import port_signed, porting
from numbers.models import PortOrder
from numbers.porting import PortRefused


def standing(order: PortOrder) -> str:
    """Return where an order stands, for whoever cancels it or asks for another date: what can be edited, with it."""
    return contents(order) if order.is_editable() else ".".join(map(str, _stands(order)))


def contents(order: PortOrder) -> str:
    """Return a digest of what the summary shows of an order: where it stands, and all that was entered."""
    printed = port_signed.printed(order, porting.numbers_of(order).e164s)
    said = [*_stands(order), printed, order.activate, order.temporary_id]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


def _stands(order: PortOrder) -> list[Any]:
    known = int(porting.is_known_there(order))
    return [order.state, order.attempt, order.changes, known, order.confirmed_on, order.change_on]


def expect(now: str, seen: str, otherwise: Promise) -> None:
    """Raise PortRefused with this sentence if the page had shown something else."""
    if now != seen:
        raise PortRefused(otherwise)
