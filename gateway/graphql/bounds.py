"""Bounds on a document: counted in one pass over what was parsed, before any rule is run on it.

Members have memberships and memberships have a member, and a fragment may spread another twice: a
few lines can ask for more than any server has, and rules that compare fields with each other take
longer than it took to write them. Here each definition is walked once and what its fragments come
to is added up, so that the count takes no longer than the document is long. It is of what would be
executed: a fragment counts wherever it is spread.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableDefinitionNode,
)

from gateway.graphql.masking import TOO_COMPLEX, VALIDATION_FAILED

MAX_LENGTH = 65_536
"""Characters: thirty to a token. Blanks and comments take time, and errors repeat what is long."""

MAX_LINES = 5_000
"""Lines: to say where an error is, all of them are looked for again."""

MAX_TOKENS = 3_000
"""Lexical tokens: a thousand fields, fifteen times what a tool asks to know the whole schema.
Each takes seven microseconds to parse and as much to validate; the parser stops at this one."""

MAX_DEPTH = 12
"""Fields within fields. `gateway.graphql.description` bounds what describes the schema itself."""

MAX_FIELDS = 2_000
"""Fields, with those of the fragments wherever they are spread."""

MAX_ROOT_FIELDS = 100
"""Fields of an operation itself: each is a call to a service, and as a rule a query of its own."""

MAX_ALIASES = 100
"""Aliases: they are how one field is asked for many times over."""

MAX_DIRECTIVES = 100
"""Directives: on fields, fragments, operations and variables."""

MAX_VALUES = 300
"""Values written out in arguments, with those within lists and objects. What is longer goes into
variables: a message about an object repeats all of it, once for each of its faults."""

MAX_DIGITS = 50
"""Characters of a number that is written out: more than any scalar takes, and fewer than Python
refuses to read."""

MAX_OPERATIONS = 20
"""Operations of a document; one of them is executed."""

MAX_FRAGMENTS = 100
"""Fragments of a document, and with it how far one may lead to another."""

_MANY = 1_000_000
"""Where counting ends: fragments that double can double hundreds of times."""

_ABOUT_THE_SCHEMA = ("__schema", "__type")


class Excess(NamedTuple):
    """What a document has too much of."""

    message: str
    code: str = TOO_COMPLEX


@dataclass(slots=True)
class Size:
    """What a definition comes to, with the fragments that it spreads."""

    depth: int = 0
    fields: int = 0
    root_fields: int = 0
    aliases: int = 0
    directives: int = 0
    values: int = 0
    digits: int = 0
    """Of the longest number."""


@dataclass(slots=True)
class _Part(Size):
    """What a definition holds itself, and what it spreads: which fragment, at which level."""

    spreads: list[tuple[str, int]] = field(default_factory=list)


def too_long(text: str) -> Excess | None:
    """The first bound that a text does not keep to, before it is read at all."""
    return _excess("has {} characters", len(text), MAX_LENGTH) or _excess(
        "has {} lines", 1 + text.count("\n") + text.count("\r"), MAX_LINES
    )


def excess_of(ast: DocumentNode) -> Excess | None:
    """The first bound that a document does not keep to, valid or not."""
    operations = [node for node in ast.definitions if isinstance(node, OperationDefinitionNode)]
    fragments = [node for node in ast.definitions if isinstance(node, FragmentDefinitionNode)]
    several = _excess("has {} operations", len(operations), MAX_OPERATIONS) or _excess(
        "has {} fragments", len(fragments), MAX_FRAGMENTS
    )
    if several is not None:
        return several
    size = size_of(operations, fragments)
    return (
        _excess("is {} fields deep", size.depth, MAX_DEPTH, VALIDATION_FAILED)
        or _excess("has {} fields", size.fields, MAX_FIELDS)
        or _excess("has {} root fields", size.root_fields, MAX_ROOT_FIELDS)
        or _excess("has {} aliases", size.aliases, MAX_ALIASES)
        or _excess("has {} directives", size.directives, MAX_DIRECTIVES)
        or _excess("has {} values", size.values, MAX_VALUES)
        or _excess("has a number of {} characters", size.digits, MAX_DIGITS)
    )


def size_of(
    operations: Iterable[OperationDefinitionNode], fragments: Iterable[FragmentDefinitionNode]
) -> Size:
    """The most that any definition comes to; in depth and at the root, that any operation does.

    A fragment is added up once, however often it is spread; what leads back to itself or to none
    adds nothing, and those of one name count together: the rules refuse them, after looking.
    """
    parts: dict[str, _Part] = {}
    for node in fragments:
        part = parts.setdefault(node.name.value, _Part())
        namesake = _part(node)
        _add(part, namesake, 1)
        part.spreads += namesake.spreads
    known: dict[str, Size] = {}

    def fragment(name: str) -> Size:
        if name not in known:
            known[name] = Size()
            if name in parts:
                known[name] = whole(parts[name])
        return known[name]

    def whole(part: _Part) -> Size:
        for name, level in part.spreads:
            _add(part, fragment(name), level)
        return part

    sizes = [whole(_part(operation)) for operation in operations]
    depth = max((size.depth for size in sizes), default=0)
    root_fields = max((size.root_fields for size in sizes), default=0)
    sizes += [fragment(name) for name in parts]
    return Size(
        depth,
        max((size.fields for size in sizes), default=0),
        root_fields,
        max((size.aliases for size in sizes), default=0),
        max((size.directives for size in sizes), default=0),
        max((size.values for size in sizes), default=0),
        max((size.digits for size in sizes), default=0),
    )


def _add(to: Size, spread: Size, level: int) -> None:
    if level:
        to.depth = max(to.depth, level - 1 + spread.depth)
    if level == 1:
        to.root_fields = min(_MANY, to.root_fields + spread.root_fields)
    to.fields = min(_MANY, to.fields + spread.fields)
    to.aliases = min(_MANY, to.aliases + spread.aliases)
    to.directives = min(_MANY, to.directives + spread.directives)
    to.values = min(_MANY, to.values + spread.values)
    to.digits = max(to.digits, spread.digits)


def _part(definition: OperationDefinitionNode | FragmentDefinitionNode) -> _Part:
    part = _Part()
    _declarations(part, definition.directives, definition.variable_definitions or ())
    waiting = [(definition.selection_set, 1)]  # the level of what describes the schema is none, 0
    while waiting:
        selections, level = waiting.pop()
        for node in selections.selections:
            _directives(part, node.directives)
            if isinstance(node, FragmentSpreadNode):
                part.spreads.append((node.name.value, level))
            elif isinstance(node, InlineFragmentNode):
                waiting.append((node.selection_set, level))
            elif isinstance(node, FieldNode):
                _field(part, node, level)
                if node.selection_set is not None:
                    below = 0 if node.name.value in _ABOUT_THE_SCHEMA or not level else level + 1
                    waiting.append((node.selection_set, below))
    return part


def _declarations(
    part: _Part,
    directives: Iterable[DirectiveNode] | None,
    variables: Iterable[VariableDefinitionNode],
) -> None:
    _directives(part, directives)
    for variable in variables:
        _directives(part, variable.directives)
        if variable.default_value is not None:
            _values(part, [variable.default_value])


def _field(part: _Part, node: FieldNode, level: int) -> None:
    part.fields += 1
    part.depth = max(part.depth, level)
    part.root_fields += level == 1
    part.aliases += node.alias is not None
    _given(part, node.arguments)


def _directives(part: _Part, directives: Iterable[DirectiveNode] | None) -> None:
    for directive in directives or ():
        part.directives += 1
        _given(part, directive.arguments)


def _given(part: _Part, arguments: Iterable[ArgumentNode] | None) -> None:
    _values(part, [argument.value for argument in arguments or ()])


def _values(part: _Part, waiting: list[ValueNode]) -> None:
    while waiting:
        value = waiting.pop()
        part.values += 1
        if isinstance(value, ListValueNode):
            waiting.extend(value.values)
        elif isinstance(value, ObjectValueNode):
            waiting.extend(field.value for field in value.fields)
        elif isinstance(value, IntValueNode | FloatValueNode):
            part.digits = max(part.digits, len(value.value))


def _excess(what: str, found: int, most: int, code: str = TOO_COMPLEX) -> Excess | None:
    if found <= most:
        return None
    number = f"{found} or more" if found == _MANY else str(found)
    return Excess(f"The document {what.format(number)}, and at most {most} are allowed.", code)
