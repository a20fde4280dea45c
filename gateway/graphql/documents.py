"""Documents: parsed and validated once, then remembered by their text."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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

from gateway.graphql.bounds import MAX_TOKENS, excess_of, too_long
from gateway.graphql.costs import Cost, Costs
from gateway.graphql.description import MAX_DESCRIBED, TooMuchAsked
from gateway.graphql.execution import Collected
from gateway.graphql.latest import Latest
from gateway.graphql.masking import BAD_USER_INPUT, PARSE_FAILED, TOO_COMPLEX, VALIDATION_FAILED
from schema.connections import BadPage

BYTES_TO_A_TOKEN = 800
"""What a token of a document takes that is remembered, with its costs and all."""

MAX_REMEMBERED = 64 * 1024 * 1024
"""What all documents that are remembered take, in bytes: some thousands as they usually are, and
thirty of the largest there may be."""

MAX_SEEN = 10_000
"""Of so many documents it is known that they were seen once. Only what is seen again is remembered:
texts that are made up anew each time push nobody's documents out."""

MAX_ERRORS = 5
"""How many faults of one document are reported: a message may be as long as the document."""

MAX_COMPARISONS = 7_000
"""How often fields that answer to one name are compared, in the steps of graphql-core, whose own
500,000 take a second. Eighty fields of one name, without fields of their own, take as many."""


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
    costs: Mapping[str | None, Cost] = field(default_factory=dict)
    """What its operations cost, by their names."""

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
    """The documents of one schema, remembered from their second reading on; those that were not
    used for the longest time are forgotten first."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._costs = Costs(schema)
        self._known: Latest[str, Document] = Latest(MAX_REMEMBERED)
        self._seen: Latest[int, bool] = Latest(MAX_SEEN)
        self.found = 0
        """How often a document was known already."""
        self.understood = 0
        """How often one had to be parsed and validated."""

    def __len__(self) -> int:
        return len(self._known)

    def knows(self, text: str) -> bool:
        """Whether the document of this text is remembered, so that to read it costs nothing."""
        return text in self._known

    def read(self, text: str) -> Document:
        """The document of this text, parsed and validated."""
        known = self._known.get(text)
        if known is not None:
            self.found += 1
            return known
        self.understood += 1
        document = self.understand(text)
        if document.ast is not None:
            seen = hash(text)
            if self._seen.get(seen):
                weight = len(text) + document.ast.token_count * BYTES_TO_A_TOKEN
                self._known.put(text, document, weight)
            self._seen.put(seen, True)
        return document

    def understand(self, text: str) -> Document:
        """The same, whether it is known or not, and not remembered."""
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
        if errors:
            return Document(None, {}, tuple(errors))
        try:
            costs = self._costs.of(ast)
        except TooMuchAsked:
            return _refused(
                "The document asks for more of the schema's own description than "
                f"{MAX_DESCRIBED} fields."
            )
        except BadPage as error:  # known before anything runs, so that nothing does
            return Document(None, {}, (error,), BAD_USER_INPUT)
        collected = None if "@" in text else Collected()
        return Document(ast, _operations(ast), collected=collected, costs=costs)


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
