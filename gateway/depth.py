"""How deep a document's selections go: one pass, each fragment measured once.

Members have memberships and memberships have a member, so without a bound a few lines of query ask
for more than any server has. What describes the schema itself is not counted.
"""

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

MAX_DEPTH = 12
"""Fields within fields, at most."""

_ABOUT_THE_SCHEMA = ("__schema", "__type")


def depth_of(ast: DocumentNode) -> int:
    """The depth of the deepest operation of a document without cycles among its fragments."""
    measured: dict[str, int] = {}
    fragments = {
        node.name.value: node
        for node in ast.definitions
        if isinstance(node, FragmentDefinitionNode)
    }

    def fragment(name: str) -> int:
        if name not in measured:
            measured[name] = below(fragments[name].selection_set)
        return measured[name]

    def below(selections: SelectionSetNode | None) -> int:
        deepest = 0
        for node in selections.selections if selections else ():
            if isinstance(node, FragmentSpreadNode):
                depth = fragment(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                depth = below(node.selection_set)
            elif isinstance(node, FieldNode) and node.name.value not in _ABOUT_THE_SCHEMA:
                depth = 1 + below(node.selection_set)
            else:
                depth = 1
            deepest = max(deepest, depth)
        return deepest

    return max(
        (
            below(node.selection_set)
            for node in ast.definitions
            if isinstance(node, OperationDefinitionNode)
        ),
        default=0,
    )
