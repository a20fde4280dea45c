"""The lines of a text file from strangers, one by one, so that memory does not grow with it."""

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from gateway.trade.loyalty_elements import BadElement

MAX_LINE = 64 * 1024
"""Bytes; of UTF-16, characters."""

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How a text in UTF-16 begins."""

UTF_8_MARK = b"\xef\xbb\xbf"
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_REPLACED = "\ufffd"


def lines_of(source: BinaryIO) -> Iterator[tuple[int, str | BadElement]]:
    """The lines with their numbers, the first of which is 1; or what is wrong with them."""
    head = source.read(len(UTF_8_MARK))
    source.seek(0)
    lines = _utf_16(source) if head.startswith(UTF_16) else _utf_8(source)
    for number, line in enumerate(lines, start=1):
        if isinstance(line, str) and _CONTROL.search(line):
            yield number, BadElement("the line has a control character")
        else:
            yield number, line


def _utf_8(source: BinaryIO) -> Iterator[str | BadElement]:
    mark = UTF_8_MARK
    while raw := source.readline(MAX_LINE + 1):
        if len(raw) > MAX_LINE:
            while raw and not raw.endswith(b"\n"):
                raw = source.readline(MAX_LINE + 1)
            yield BadElement(f"the line is longer than {MAX_LINE} bytes")
        else:
            try:
                yield raw.removeprefix(mark).rstrip(b"\r\n").decode()
            except UnicodeDecodeError as error:
                yield BadElement(f"the line is not UTF-8 at byte {error.start + 1}")
        mark = b""


def _utf_16(source: BinaryIO) -> Iterator[str | BadElement]:
    text = io.TextIOWrapper(source, "utf-16", errors="replace", newline="\n")
    try:
        while line := text.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                while line and not line.endswith("\n"):
                    line = text.readline(MAX_LINE + 1)
                yield BadElement(f"the line is longer than {MAX_LINE} characters")
            elif _REPLACED in line:
                yield BadElement("the line is not UTF-16")
            else:
                yield line.rstrip("\r\n")
    finally:
        text.detach()  # who has opened the file closes it
