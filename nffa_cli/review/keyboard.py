"""One key at a time from a person's keyboard, on every system; prints nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPT, END = "\x03", "\x04"
ESCAPE = "\x1b"
WAIT_SECONDS = 0.02
"""The rest of an arrow key's sequence comes within this time."""


@contextmanager
def attentive() -> Iterator[None]:
    """Let keys come as they are pressed and unseen; the terminal is itself again afterwards, whatever happens."""
    try:
        import termios
        import tty
    except ImportError:  # Windows reads keys by functions of its own
        yield
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number, termios.TCSADRAIN)  # Ctrl-C stays an interrupt
    try:
        yield
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


@contextmanager
def relaxed() -> Iterator[None]:
    """Inside ``attentive``: let a line be typed and seen, with the keys that mend it."""
    try:
        import termios
    except ImportError:
        yield
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    line = termios.tcgetattr(number)
    line[3] |= termios.ICANON | termios.ECHO
    termios.tcsetattr(number, termios.TCSADRAIN, line)
    try:
        yield
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def key() -> str:
    """Return the next key; the end of the input is ``END``. Arrows and function keys are passed over.

    Only inside ``attentive``.
    """
    while True:
        pressed = _windows_key() if os.name == "nt" else _posix_key()
        if pressed != ESCAPE:
            return pressed


def _posix_key() -> str:
    number = sys.stdin.fileno()
    data = os.read(number, 1)
    if data == b"\x1b":
        _pass_sequence(number)
        return ESCAPE
    while data and data[0] >= 0xC0 and len(data) < _length(data[0]):  # the bytes of one letter beyond ASCII
        data += os.read(number, 1)
    return data.decode("utf-8", "replace") or END


def _pass_sequence(number: int) -> None:
    """Read what belongs to an escape: one letter, or ``[`` or ``O`` and all up to the letter that ends it."""
    import select

    is_long = False
    while select.select([number], [], [], WAIT_SECONDS)[0]:
        data = os.read(number, 1)
        if not data or (is_long and b"@" <= data <= b"~") or (not is_long and data not in (b"[", b"O")):
            return
        is_long = True


def _length(first: int) -> int:
    return 2 + (first >= 0xE0) + (first >= 0xF0)


def _windows_key() -> str:
    import msvcrt

    pressed: str = msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
    if pressed in ("\x00", "\xe0"):
        msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
        return ESCAPE
    if pressed == INTERRUPT:
        raise KeyboardInterrupt
    return pressed
