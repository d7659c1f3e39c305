"""The Internet Printing Protocol as bytes (RFC 8010): requests are read, answers are written.

A message is version, operation or status, request id and groups of attributes; what follows is the document. No library
for servers is kept up, and this is all of the format there is.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, BinaryIO

MOST_BYTES = 64 * 1024  # of all attributes of a request
DEEPEST = 5  # collections within collections
_GROUPS = range(0x01, 0x10)
_END = 0x03


class Group(IntEnum):
    """What a group of attributes is about."""

    OPERATION = 0x01
    JOB = 0x02
    PRINTER = 0x04
    UNSUPPORTED = 0x05


class Tag(IntEnum):
    """The syntax of a value."""

    NO_VALUE = 0x13
    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    RESOLUTION = 0x32
    RANGE = 0x33
    COLLECTION = 0x34
    TEXT_LANGUAGE = 0x35
    NAME_LANGUAGE = 0x36
    END_COLLECTION = 0x37
    TEXT = 0x41
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    URI_SCHEME = 0x46
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME = 0x49
    MEMBER = 0x4A


class Unreadable(ValueError):
    """These bytes are no IPP message."""


class Operation(IntEnum):
    """What a client asks for."""

    PRINT_JOB = 0x0002
    VALIDATE_JOB = 0x0004
    CREATE_JOB = 0x0005
    SEND_DOCUMENT = 0x0006
    CANCEL_JOB = 0x0008
    GET_JOB_ATTRIBUTES = 0x0009
    GET_JOBS = 0x000A
    GET_PRINTER_ATTRIBUTES = 0x000B


class Status(IntEnum):
    """What is answered (RFC 8011)."""

    OK = 0x0000
    OK_IGNORED = 0x0001
    BAD_REQUEST = 0x0400
    NOT_POSSIBLE = 0x0404
    NOT_FOUND = 0x0406
    TOO_LARGE = 0x0408
    FORMAT_NOT_SUPPORTED = 0x040A
    VALUES_NOT_SUPPORTED = 0x040B
    CHARSET_NOT_SUPPORTED = 0x040D
    COMPRESSION_NOT_SUPPORTED = 0x040F
    COMPRESSION_ERROR = 0x0410
    OPERATION_NOT_SUPPORTED = 0x0501
    VERSION_NOT_SUPPORTED = 0x0503
    BUSY = 0x0507


@dataclass(frozen=True, slots=True)
class Attribute:
    """A named attribute as it is written: one syntax for all values. A collection's value is a list of attributes."""

    name: str
    tag: Tag
    values: Sequence[Any]


type Values = dict[str, list[Any]]
type AttributeGroup = tuple[Group, Sequence[Attribute]]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was read. A collection's value is a dictionary of the kind that `operation` and `job` are.

    `first` holds the names of the operation's attributes in the order they came, for the first two are prescribed.
    """

    version: tuple[int, int]
    operation_id: int
    request_id: int
    operation: Values = field(default_factory=dict)
    job: Values = field(default_factory=dict)
    first: list[str] = field(default_factory=list)

    def text(self, name: str, default: str = "") -> str:
        """Return the first value of an operation's attribute as text, or `default` if there is none."""
        values = self.operation.get(name, [])
        return values[0] if values and isinstance(values[0], str) else default


def read(stream: BinaryIO) -> Request:
    """Read a request and leave the stream where its document begins. Raises Unreadable."""
    source = _Source(stream)
    major, minor, operation_id, request_id = struct.unpack(">BBHI", source.take(8))
    read_in: dict[int, Values] = {}
    first: list[str] = []
    group = 0
    values: list[Any] = []
    while (tag := source.take(1)[0]) != _END:
        if tag in _GROUPS:
            group, values = tag, []
            continue
        name, content = source.text(), source.block()
        if not group:
            raise Unreadable("an attribute outside of a group")
        if name:
            values = read_in.setdefault(group, {}).setdefault(name, [])
            if group == Group.OPERATION:
                first.append(name)
        values.append(_value(tag, content, source, 1))
    operation, job = read_in.get(Group.OPERATION, {}), read_in.get(Group.JOB, {})
    return Request((major, minor), operation_id, request_id, operation, job, first)


def write(version: tuple[int, int], code: int, request_id: int, groups: Sequence[AttributeGroup]) -> bytes:
    """Return an answer, whose code is its status, as bytes; a request looks the same, its code is the operation."""
    parts = [struct.pack(">BBHI", *version, code, request_id)]
    for group, attributes in groups:
        parts.append(bytes([group]))
        parts += [part for attribute in attributes for part in _written(attribute)]
    return b"".join([*parts, bytes([_END])])


class _Source:
    """The bytes of the attributes, counted."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._left = stream, MOST_BYTES

    def take(self, count: int) -> bytes:
        self._left -= count
        content = self._stream.read(count) if self._left >= 0 else b""
        if len(content) != count:
            raise Unreadable("the message ends early, or its attributes never do")
        return content

    def block(self) -> bytes:
        return self.take(struct.unpack(">H", self.take(2))[0])

    def text(self) -> str:
        return _text(self.block())


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace").replace("\0", "")


def _value(tag: int, content: bytes, source: _Source, depth: int) -> Any:
    try:
        match tag:
            case Tag.INTEGER | Tag.ENUM:
                return struct.unpack(">i", content)[0]
            case Tag.BOOLEAN:
                return content == b"\x01"
            case Tag.RESOLUTION:
                return struct.unpack(">iib", content)
            case Tag.RANGE:
                return struct.unpack(">ii", content)
            case Tag.COLLECTION:
                return _collection(source, depth)
            case Tag.TEXT_LANGUAGE | Tag.NAME_LANGUAGE:
                skipped = 4 + struct.unpack(">H", content[:2])[0]
                return _text(content[skipped:])
    except struct.error as error:
        raise Unreadable("a value of the wrong length") from error
    return _text(content) if tag >= Tag.TEXT else content


def _collection(source: _Source, depth: int) -> Values:
    """Read the members of a collection: a name, then its values, until the end."""
    if depth > DEEPEST:
        raise Unreadable("collections within collections")
    members: Values = {}
    values: list[Any] = []
    while (tag := source.take(1)[0]) != Tag.END_COLLECTION:
        source.block()  # members have their name as a value of its own
        content = source.block()
        if tag == Tag.MEMBER:
            values = members.setdefault(_text(content), [])
        elif tag in _GROUPS:
            raise Unreadable("a collection without an end")
        else:
            values.append(_value(tag, content, source, depth + 1))
    source.take(4)  # its end has neither name nor value
    return members


def _written(attribute: Attribute) -> Iterator[bytes]:
    name = attribute.name.encode()
    for value in attribute.values:
        yield from _tagged(attribute.tag, name, value)
        name = b""  # further values of the same attribute


def _tagged(tag: Tag, name: bytes, value: Any) -> Iterator[bytes]:
    content = b"" if tag == Tag.COLLECTION else _bytes(tag, value)
    yield struct.pack(">BH", tag, len(name)) + name + struct.pack(">H", len(content)) + content
    if tag == Tag.COLLECTION:
        for member in value:
            called = member.name.encode()
            yield struct.pack(">BHH", Tag.MEMBER, 0, len(called)) + called
            for inner in member.values:
                yield from _tagged(member.tag, b"", inner)
        yield struct.pack(">BHH", Tag.END_COLLECTION, 0, 0)


def _bytes(tag: Tag, value: Any) -> bytes:
    match tag:
        case Tag.INTEGER | Tag.ENUM:
            return struct.pack(">i", value)
        case Tag.BOOLEAN:
            return bytes([value])
        case Tag.RESOLUTION:
            return struct.pack(">iib", *value)
        case Tag.RANGE:
            return struct.pack(">ii", *value)
        case Tag.NO_VALUE:
            return b""
    return str(value).encode()[:1023].decode("utf-8", "ignore").encode()
