"""XML from strangers, read as a tree; and written.

Read by the standard library's expat. A document type is refused before anything in it is looked at,
and with it every entity that could be expanded, or fetched from elsewhere. Size, depth and the
number of elements are bounded. Names lose their namespaces and prefixes: what an element is
called differs between versions of a standard by its namespace alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.parsers import expat

MAX_DOCUMENT = 4 * 1024 * 1024
"""Bytes."""

MAX_ELEMENTS = 100_000
MAX_DEPTH = 64
MAX_ATTRIBUTES = 100
"""Of one element."""


class MarkupRefused(Exception):
    """A document that is not XML, or none that is read here; the text says why, and where."""


@dataclass(slots=True)
class Element:
    """An element of a document: its local name, attributes by theirs, the text directly in it."""

    name: str
    line: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def all(self, *names: str) -> Iterator["Element"]:
        """The elements inside, at any depth, that have one of these names, in their order; but for
        those that are inside another of them."""
        waiting = self.children[::-1]
        while waiting:
            element = waiting.pop()
            if element.name in names:
                yield element
            else:
                waiting += element.children[::-1]

    def first(self, *path: str) -> "Element | None":
        """The first element that is reached by a path of names of children."""
        if not path:
            return self
        inside = (child.first(*path[1:]) for child in self.children if child.name == path[0])
        return next((element for element in inside if element is not None), None)

    def text_at(self, *path: str) -> str | None:
        """The text of that element; None if there is no such element or nothing in it."""
        element = self.first(*path)
        return None if element is None else element.text.strip() or None

    def attribute_at(self, *path: str) -> str | None:
        """The attribute, named last in a path, of the element that is reached by the others."""
        element = self.first(*path[:-1])
        return None if element is None else element.attributes.get(path[-1], "").strip() or None


def read_markup(document: bytes) -> Element:
    """Reads a document as a tree. Raises `MarkupRefused`."""
    if len(document) > MAX_DOCUMENT:
        raise MarkupRefused(f"the document is longer than {MAX_DOCUMENT} bytes")
    builder = _Builder()
    try:
        builder.parser.Parse(document, True)
    except expat.ExpatError as error:
        raise MarkupRefused(f"not XML: {error}") from error
    except (LookupError, ValueError) as error:
        raise MarkupRefused("its encoding is not known") from error
    return builder.top.children[0]


def write_markup(root: ElementTree.Element) -> bytes:
    """A document with an element, in UTF-8, indented."""
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


class _Builder:
    """Builds the tree while expat reads."""

    def __init__(self) -> None:
        self.top = Element("", 0)
        self._open = [self.top]
        self._texts: list[list[str]] = [[]]
        self._count = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._document_type
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data

    def _document_type(self, *_: object) -> None:
        raise MarkupRefused(f"it has a document type (line {self.parser.CurrentLineNumber})")

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        line = self.parser.CurrentLineNumber
        if self._count > MAX_ELEMENTS:
            raise MarkupRefused(f"there are more than {MAX_ELEMENTS} elements (line {line})")
        if len(self._open) > MAX_DEPTH:
            raise MarkupRefused(f"elements are more than {MAX_DEPTH} deep (line {line})")
        if len(attributes) > MAX_ATTRIBUTES:
            raise MarkupRefused(f"an element has more than {MAX_ATTRIBUTES} attributes ({line})")
        element = Element(_local(name), line, _unprefixed(attributes))
        self._open[-1].children.append(element)
        self._open.append(element)
        self._texts.append([])

    def _end(self, _name: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def _data(self, text: str) -> None:
        self._texts[-1].append(text)


def _unprefixed(attributes: Mapping[str, str]) -> Mapping[str, str]:
    """Attributes by their local names. The element's own, which have no prefix, win over those of
    other vocabularies; declarations of prefixes are none."""
    foreign = {
        _local(name): value
        for name, value in attributes.items()
        if ":" in name and not name.startswith("xmlns:")
    }
    return foreign | {name: value for name, value in attributes.items() if ":" not in name}


def _local(name: str) -> str:
    return name.rpartition(":")[2]
