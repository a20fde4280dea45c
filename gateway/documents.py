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
    OverlappingFieldsCanBeMergedRule,
    SelectionSetNode,
    ValidationContext,
    parse,
    specified_rules,
    validate,
)
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.bounds import MAX_TOKENS, excess_of, too_long
from gateway.execution import Collected
from gateway.masking import PARSE_FAILED, TOO_COMPLEX, VALIDATION_FAILED

MAX_DOCUMENTS = 1_000
"""How many valid documents are remembered."""

MAX_REMEMBERED = 32_768
"""The longest document that is remembered, in characters."""

MAX_ERRORS = 5
"""How many faults of one document are reported: a message may be as long as the document."""

MAX_COMPARISONS = 10_000
"""How often fields that answer to one name are compared, in the steps of graphql-core, whose own
500,000 take a second. A hundred fields of one name, without fields of their own, take as many."""


class _FieldsCanBeMerged(OverlappingFieldsCanBeMergedRule):
    """Whether fields that answer to one name agree. It alone takes longer than a document is long:
    each is compared with each, so that it is ended after `MAX_COMPARISONS`."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = MAX_COMPARISONS


_RULES = (
    *(
        _FieldsCanBeMerged if rule is OverlappingFieldsCanBeMergedRule else rule
        for rule in specified_rules
    ),
    OneOfInputValidationRule,
)
_ABOUT_THE_SCHEMA = frozenset({"__schema", "__type", "__typename"})


@dataclass(frozen=True, slots=True)
class Document:
    """A document that can be executed; or, with `errors`, why it cannot."""

    ast: DocumentNode | None
    operations: dict[str | None, OperationDefinitionNode]
    errors: tuple[GraphQLError, ...] = ()
    code: str = VALIDATION_FAILED
    """The code of the errors, if there are any."""
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
        excess = too_long(text)
        if excess is not None:
            return _refused(*excess)
        try:
            ast = parse(text, max_tokens=MAX_TOKENS)
        except GraphQLError as error:
            return Document(None, {}, (error,), PARSE_FAILED)
        excess = excess_of(ast)
        if excess is not None:
            return _refused(*excess)
        errors = validate(self._schema, ast, _RULES, max_errors=MAX_ERRORS)
        if len(errors) <= MAX_ERRORS and any(
            isinstance(error, ValidationAbortedError) for error in errors
        ):
            return _refused(
                "The document has too many fields of one name, or levels, to be validated."
            )
        collected = None if "@" in text else Collected()
        return Document(ast, _operations(ast), tuple(errors), collected=collected)


def _refused(message: str, code: str = TOO_COMPLEX) -> Document:
    return Document(None, {}, (GraphQLError(message),), code)


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
