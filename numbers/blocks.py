"""Blocks: a base number with its extensions (rule N1). A block is there as soon as a number came with its base number.

An extension is free (the tenant does not hold it), inactive, active or, in either case of working, assigned. The
extension 0, 00 or 000 is the pilot: the number that reaches the switchboard when only the base number is dialled.
"""

from collections.abc import Iterable
from datetime import datetime

from numbers.models import NumberBlock, PhoneNumber


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
