"""Documents: parsed and validated once, then remembered by their text."""

from collections import OrderedDict
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.depth import MAX_DEPTH, depth_of
from gateway.execution import Collected

MAX_DOCUMENTS = 1_000
"""How many valid documents are remembered."""

MAX_REMEMBERED = 32_768
"""The longest document that is remembered, in characters."""

MAX_TOKENS = 10_000
"""The longest document that is read at all, in lexical tokens."""

MAX_ERRORS = 20
"""How many faults of one document are reported."""

_RULES = (*specified_rules, OneOfInputValidationRule)
_ABOUT_THE_SCHEMA = frozenset({"__schema", "__type", "__typename"})


@dataclass(frozen=True, slots=True)
class Document:
    """A document that can be executed; or, with `errors`, why it cannot."""

    ast: DocumentNode | None
    operations: dict[str | None, OperationDefinitionNode]
    errors: tuple[GraphQLError, ...] = ()
    parsed: bool = True
    collected: Collected | None = None
    """What its selections come to, if they do not depend on variables."""

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation of this name; without one, the only one there is."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        return self.operations.get(name) if name is not None else None

    def asks_about_schema_only(self) -> bool:
        """Whether no operation asks for anything but the schema's own description."""
        return all(
            _about_schema(operation.selection_set, self._fragments(), set())
            for operation in self.operations.values()
        )

    def _fragments(self) -> dict[str, FragmentDefinitionNode]:
        definitions = self.ast.definitions if self.ast else ()
        return {
            node.name.value: node
            for node in definitions
            if isinstance(node, FragmentDefinitionNode)
        }


class Documents:
    """The documents of one schema; the least recently used are forgotten first."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: OrderedDict[str, Document] = OrderedDict()

    def read(self, text: str) -> Document:
        """The document of this text, parsed and validated."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        document = self._understand(text)
        if not document.errors and len(text) <= MAX_REMEMBERED:
            self._known[text] = document
            if len(self._known) > MAX_DOCUMENTS:
                self._known.popitem(last=False)
        return document

    def _understand(self, text: str) -> Document:
        try:
            ast = parse(text, max_tokens=MAX_TOKENS)
            errors = validate(self._schema, ast, _RULES, max_errors=MAX_ERRORS)
            if not errors and depth_of(ast) > MAX_DEPTH:
                errors = [GraphQLError(f"The document is deeper than {MAX_DEPTH} fields.")]
        except GraphQLError as error:
            return Document(None, {}, (error,), parsed=False)
        except RecursionError:
            return Document(None, {}, (GraphQLError("The document is too deep."),), parsed=False)
        collected = None if "@" in text else Collected()
        return Document(ast, _operations(ast), tuple(errors), collected=collected)


def _operations(ast: DocumentNode) -> dict[str | None, OperationDefinitionNode]:
    return {
        node.name.value if node.name else None: node
        for node in ast.definitions
        if isinstance(node, OperationDefinitionNode)
    }


def _about_schema(
    selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode], seen: set[str]
) -> bool:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            if node.name.value not in _ABOUT_THE_SCHEMA:
                return False
        elif isinstance(node, InlineFragmentNode):
            if not _about_schema(node.selection_set, fragments, seen):
                return False
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
            seen.add(node.name.value)
            if not _about_schema(fragments[node.name.value].selection_set, fragments, seen):
                return False
    return True
