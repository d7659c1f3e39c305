from numbers.models.area import LocalArea
from numbers.models.assignment import Assignment
from numbers.models.bulk import BulkItem, BulkRun
from numbers.models.forwarding import Forwarding
from numbers.models.number import LockedNumber, NumberSearch, NumberState, PhoneNumber, Usage

__all__ = [
    "Assignment",
    "BulkItem",
    "BulkRun",
    "Forwarding",
    "LocalArea",
    "LockedNumber",
    "NumberSearch",
    "NumberState",
    "PhoneNumber",
    "Usage",
]
