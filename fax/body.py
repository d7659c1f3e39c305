"""Bodies of any length: read to their end, onto the disk and not into memory, and no further than a limit.

Clients send a whole document before they read any answer, so even what is refused has to be read to its end.
"""

import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from portal.documents import Readable

MOST_BYTES = 50 * 1024 * 1024  # of a document, unpacked
IN_MEMORY = 512 * 1024
DRAINED = 8 * MOST_BYTES  # who sends more than this is left
_BLOCK = 64 * 1024
_ATTRIBUTES = 64 * 1024  # before the document


class TooLarge(ValueError):
    """The document is larger than may be."""


class BrokenOff(ValueError):
    """The body ended before its end."""


class Damaged(ValueError):
    """The document cannot be unpacked."""


@contextmanager
def received(stream: Readable, length: int | None) -> Iterator[tuple[BinaryIO, bool]]:
    """Read a body to its end; yield it at its beginning, and whether it is complete: what is too much was let go.

    `length` is how long it is said to be, None if it comes in chunks. Raises BrokenOff.
    """
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as kept:
        read = 0
        while read <= DRAINED and (block := _next(stream)):
            read += len(block)
            if read <= MOST_BYTES + _ATTRIBUTES:
                kept.write(block)
        if length is not None and read < min(length, DRAINED):
            raise BrokenOff
        kept.seek(0)
        yield kept, read <= MOST_BYTES + _ATTRIBUTES  # type: ignore[misc] # a file in all that matters


def _next(stream: Readable) -> bytes:
    try:
        return stream.read(_BLOCK)
    except Exception as error:
        raise BrokenOff from error


class Unpacked:
    """What a gzip stream holds, counted while it is unpacked: a few bytes may become gigabytes."""

    def __init__(self, stream: Readable, *, most: int = MOST_BYTES) -> None:
        self._stream, self._left = stream, most
        self._packed = zlib.decompressobj(wbits=31)
        self._rest = b""

    def read(self, size: int = _BLOCK, /) -> bytes:
        """Return the next bytes, none at the end. Raises TooLarge and Damaged."""
        try:
            while True:
                packed = self._rest or self._stream.read(_BLOCK)
                content = self._packed.decompress(packed, size)
                self._rest = self._packed.unconsumed_tail
                if content:
                    break
                if self._packed.eof:
                    return b""
                if not packed:
                    raise Damaged("it ends early")
        except zlib.error as error:
            raise Damaged(str(error)) from error
        self._left -= len(content)
        if self._left < 0:
            raise TooLarge
        return content


class Again:
    """A stream of which the beginning was read already."""

    def __init__(self, beginning: bytes, stream: Readable) -> None:
        self._beginning, self._stream = beginning, stream

    def read(self, size: int = _BLOCK, /) -> bytes:
        """Return the next bytes, none at the end."""
        beginning, self._beginning = self._beginning, b""
        return beginning or self._stream.read(size)
