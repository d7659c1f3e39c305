from numbers.models.address import Address, AddressState, LockedAddress
from numbers.models.area import LocalArea
from numbers.models.assignment import Assignment
from numbers.models.block import NumberBlock
from numbers.models.bulk import BulkItem, BulkRun
from numbers.models.calls import CallKey, CallRecord, CallResult, Direction, Purge, UsageTotal
from numbers.models.forwarding import Forwarding
from numbers.models.intake import IntakeLine
from numbers.models.keeping import (
    CallRetention,
    Dispute,
    ErasureDecision,
    Helpline,
    ItemisationOrder,
    RetentionProof,
)
from numbers.models.letter import Delivery, LetterState, LockedLetter, PinLetter, PostalOrder, PrintBatch
from numbers.models.number import LockedNumber, NumberSearch, NumberState, PhoneNumber, Usage
from numbers.models.order import NumberOrder, OrderKind, OrderState
from numbers.models.pool import PoolArea, PoolBlock, PoolNumber
from numbers.models.port_out import PortOut, PortOutState
from numbers.models.port_provider import PortProvider
from numbers.models.porting import (
    CLAIMING,
    DirectoryEntry,
    HolderKind,
    LockedPortOrder,
    PortDocument,
    PortEvent,
    PortEventKind,
    PortKind,
    PortNumber,
    PortOrder,
    PortState,
    RejectionCode,
    Remaining,
    ToSend,
)

__all__ = [
    "CLAIMING",
    "Address",
    "AddressState",
    "Assignment",
    "BulkItem",
    "BulkRun",
    "CallKey",
    "CallRecord",
    "CallResult",
    "CallRetention",
    "Delivery",
    "Direction",
    "DirectoryEntry",
    "Dispute",
    "ErasureDecision",
    "Forwarding",
    "Helpline",
    "HolderKind",
    "IntakeLine",
    "ItemisationOrder",
    "LetterState",
    "LocalArea",
    "LockedAddress",
    "LockedLetter",
    "LockedNumber",
    "LockedPortOrder",
    "NumberBlock",
    "NumberOrder",
    "NumberSearch",
    "NumberState",
    "OrderKind",
    "OrderState",
    "PhoneNumber",
    "PinLetter",
    "PoolArea",
    "PoolBlock",
    "PoolNumber",
    "PortDocument",
    "PortEvent",
    "PortEventKind",
    "PortKind",
    "PortNumber",
    "PortOrder",
    "PortOut",
    "PortOutState",
    "PortProvider",
    "PortState",
    "PostalOrder",
    "PrintBatch",
    "Purge",
    "RejectionCode",
    "Remaining",
    "RetentionProof",
    "ToSend",
    "Usage",
    "UsageTotal",
]
