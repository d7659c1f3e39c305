"""Blocks: a base number with its extensions (rule N1). A block is there as soon as a number came with its base number.

An extension is free (the tenant does not hold it), inactive, active or, in either case of working, assigned. The
extension 0, 00 or 000 is the pilot: the number that reaches the switchboard when only the base number is dialled.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from numbers import holders, notation
from numbers.models import NumberBlock, NumberState, PhoneNumber


def note(numbers: Iterable[PhoneNumber], *, at: datetime) -> None:
    """Make the blocks that these new numbers belong to, as far as they are not there yet."""
    found: dict[tuple[int, str], NumberBlock] = {}
    for number in numbers:
        if number.extension_digits:
            digits = len(number.extension_digits)
            block = found.setdefault(
                (number.tenant_id, number.base_number),
                NumberBlock(
                    tenant_id=number.tenant_id,
                    base_number=number.base_number,
                    extension_digits=digits,
                    area_id=number.area_id,
                    created_at=at,
                ),
            )
            block.extension_digits = max(block.extension_digits, digits)
    NumberBlock.objects.bulk_create(found.values(), ignore_conflicts=True)


class Look(StrEnum):
    """How an extension of a block stands, as the grid shows it."""

    FREE = "free"
    INACTIVE = "inactive"
    ACTIVE = "active"
    ASSIGNED = "assigned"
    SCHEDULED = "scheduled"
    PORTING = "porting"


@dataclass(frozen=True, slots=True)
class Cell:
    """One extension of a block; `pk` and `label` are those of the number, None and empty if the tenant has none.

    `holder` names who has it now; of a shared fax that several have, the first of them and how many more.
    """

    extension: str
    look: Look
    pk: int | None
    label: str
    is_pilot: bool
    holder: str = ""

    @property
    def works(self) -> bool:
        """Return whether it takes calls now, and so can be assigned (rule A1)."""
        return self.look in (Look.ACTIVE, Look.ASSIGNED, Look.SCHEDULED)


def cells(block: NumberBlock, *, at: datetime) -> list[Cell]:
    """Return every extension of a block in order, the shorter ones that came by porting first."""
    rows = (
        PhoneNumber.objects.held()
        .filter(base_number=block.base_number)
        .exclude(extension_digits="")
        .only("extension_digits", "state", "last_active_on", "label")
    )
    numbers = {number.extension_digits: number for number in rows}
    holding = holders.present(at).filter(number__base_number=block.base_number).order_by("from_at", "pk")
    held: dict[int, list[str]] = {}
    for pk, name in holding.values_list("number", "staff_member__name"):
        held.setdefault(pk, []).append(name)
    wide = {f"{place:0{block.extension_digits}}" for place in range(10**block.extension_digits)}
    extensions = sorted(wide | numbers.keys(), key=lambda extension: (len(extension), extension))
    return [_cell(extension, numbers.get(extension), held, at=at) for extension in extensions]


def _cell(extension: str, number: PhoneNumber | None, held: Mapping[int, list[str]], *, at: datetime) -> Cell:
    pilot = not extension.strip("0")
    if number is None:
        return Cell(extension, Look.FREE, None, "", pilot)
    names = held.get(number.pk, [])
    looks = {
        NumberState.ACTIVE: Look.ASSIGNED if names else Look.ACTIVE,
        NumberState.DEACTIVATION_SCHEDULED: Look.SCHEDULED,
        NumberState.PORT_IN_PENDING: Look.PORTING,
    }
    look = looks.get(number.state_at(at), Look.INACTIVE)
    others = f" +{len(names) - 1}" if len(names) > 1 else ""
    return Cell(extension, look, number.pk, number.label, pilot, f"{names[0]}{others}" if names else "")


LOOKS: dict[Look, tuple[Promise, str]] = {
    Look.ACTIVE: (_("active"), "circle-check"),
    Look.ASSIGNED: (_("assigned"), "user"),
    Look.SCHEDULED: (_("scheduled"), "circle-alert"),
    Look.INACTIVE: (_("inactive"), "circle-slash"),
    Look.PORTING: (_("porting in"), "hourglass"),
    Look.FREE: (_("not yours"), "minus"),
}


def page(block: NumberBlock, *, at: datetime) -> dict[str, Any]:
    """Return what the page of a block (its `area` loaded) shows: the grid, and how many extensions look how."""
    found = cells(block, at=at)
    counted = Counter(cell.look for cell in found)
    return {
        "block": block,
        "base": notation.national(block.base_number, block.area.area_code),
        "cells": [{"cell": cell, "word": LOOKS[cell.look][0], "icon": LOOKS[cell.look][1]} for cell in found],
        "legend": [
            {"look": look, "word": LOOKS[look][0], "icon": LOOKS[look][1], "count": counted[look]}
            for look in LOOKS
            if counted[look]
        ],
        "inactive": counted[Look.INACTIVE],
    }
