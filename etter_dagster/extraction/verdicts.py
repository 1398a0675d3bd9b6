"""How an extraction ends without a text, the bounds it has, and the frames between processes."""

from __future__ import annotations

from typing import IO

MIB = 1024 * 1024
MAX_TEXT_BYTES = 2 * MIB  # of the text that is found, UTF-8
MAX_PAGES = 300
CPU_SECONDS = 30
WALL_SECONDS = 60.0  # with all that the machine does besides
MEMORY_BYTES = 1024 * MIB  # of addresses, the interpreter's included
TEXT, UNREADABLE, TOO_MUCH = b"text", b"unreadable", b"too much"  # kinds of answers
_LENGTH_BYTES = 8


class Unreadable(Exception):
    """The document cannot be read; the message goes on after its name and says what helps."""


class TooMuchText(Exception):
    """The document holds more text than a document may."""


def send(stream: IO[bytes], *parts: bytes) -> None:
    """Writes one frame: each part with its length before it.

    Args:
        stream: Where to.
        parts: What.
    """
    for part in parts:
        stream.write(len(part).to_bytes(_LENGTH_BYTES, "big"))
        stream.write(part)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes:
    """The next part.

    Raises:
        EOFError: The other side is gone.
    """
    return _exactly(stream, int.from_bytes(_exactly(stream, _LENGTH_BYTES), "big"))


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
