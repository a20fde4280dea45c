"""The contract in writing: as its clients read it, without what only a router needs.

A schema in plain GraphQL: whatever reads one (a generator of clients, a linter, a mock) knows no
more of federation than a client does, and refuses directives that nobody has defined.
"""

from collections.abc import Iterable

from graphql import (
    DirectiveDefinitionNode,
    DirectiveNode,
    FieldDefinitionNode,
    GraphQLArgument,
    GraphQLDirective,
    Node,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    Visitor,
    parse,
    specified_directives,
    visit,
)
from graphql.utilities.print_schema import print_directive

_DIRECTIVES = frozenset({"key", "link", "shareable"})
_FIELDS = frozenset({"_entities", "_service"})
_TYPES = frozenset({"_Any", "_Entity", "_Service"})

_WORDS = {
    "cost": {
        "": "What a field, an argument or an object of a type costs, where that is not the usual.",
        "weight": "How much.",
    },
    "listSize": {
        "": "How long a list is taken to be when the cost of a request is computed.",
        "assumedSize": "This long.",
        "slicingArguments": "As long as one of these arguments says.",
        "sizedFields": "It is these fields of the object that are so long, not the field itself.",
        "requireOneSlicingArgument": "Whether exactly one of those arguments has to be given.",
    },
}
"""What directives of federation mean that clients read, and under a name what an argument does."""


def client_sdl(subgraph: str, known: Iterable[GraphQLDirective]) -> str:
    """A subgraph's SDL without what only a router needs, and with a definition of every other
    directive that it applies, out of those `known`."""
    reader = _Reader()
    visit(parse(subgraph), reader)
    kept, at = [], 0
    for node in reader.for_routers:
        assert node.loc is not None
        kept.append(subgraph[at : node.loc.start].rstrip())
        at = max(at, node.loc.end)
    kept.append(subgraph[at:])
    missing = reader.applied - reader.defined - {each.name for each in specified_directives}
    definitions = sorted(_definition(each) for each in known if each.name in missing)
    return "\n\n".join([*definitions, "".join(kept).strip()])


def _definition(directive: GraphQLDirective) -> str:
    """Described, and with each place once: federation's come from the library without words, and
    name some places twice."""
    words = _WORDS.get(directive.name, {})
    places = list(dict.fromkeys(directive.locations))
    arguments = {
        name: GraphQLArgument(
            argument.type, argument.default_value, argument.description or words.get(name)
        )
        for name, argument in directive.args.items()
    }
    description = directive.description or words.get("")
    return print_directive(
        GraphQLDirective(directive.name, places, args=arguments, description=description)
    )


class _Reader(Visitor):
    """Notes what is for routers, from the top downward, and the directives of the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.for_routers: list[Node] = []
        self.applied: set[str] = set()
        self.defined: set[str] = set()

    def enter(self, node: Node, *_: object) -> object:
        """Goes on below whatever is for clients too."""
        if _is_for_routers(node):
            self.for_routers.append(node)
            return self.SKIP
        if isinstance(node, DirectiveNode):
            self.applied.add(node.name.value)
        elif isinstance(node, DirectiveDefinitionNode):
            self.defined.add(node.name.value)
        return None


def _is_for_routers(node: Node) -> bool:
    match node:
        case SchemaDefinitionNode():  # the roots have their usual names; the rest of it are links
            return True
        case DirectiveNode(name=name):
            return name.value in _DIRECTIVES
        case FieldDefinitionNode(name=name):
            return name.value in _FIELDS
        case TypeDefinitionNode(name=name):
            return name.value in _TYPES
    return False
