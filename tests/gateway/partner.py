"""A partner's subgraph: it knows of some members which airport they like best.

`python -m tests.gateway.partner AIRPORTS` serves it on a free port of 127.0.0.1 and prints where,
in one line; AIRPORTS is a JSON object of codes by coalition number. It asks nobody who he is: what
else there is to say of a member, the coalition says, to whoever may see her.
"""

import socket
import sys
from decimal import Decimal

import orjson
import strawberry
import uvicorn
from strawberry.asgi import GraphQL
from strawberry.federation import Schema
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

AIRPORTS: dict[str, str] = {}
"""The airport that a member likes best, by her coalition number."""


@strawberry.federation.type(shareable=True)
class PageInfo:
    """The coalition has one too."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.federation.type(shareable=True)
class Money:
    """The coalition has one too."""

    amount: Decimal
    currency: str


@strawberry.federation.type(keys=["code"])
class Airport:
    """An airport, and what its lounge costs."""

    code: str

    @strawberry.field
    def lounge(self) -> Money:
        """The same everywhere."""
        return Money(amount=Decimal("25.50"), currency="EUR")


@strawberry.type
class AirportEdge:
    """An airport in a list."""

    node: Airport
    cursor: str


@strawberry.type
class AirportConnection:
    """Airports."""

    edges: list[AirportEdge]
    page_info: PageInfo


@strawberry.federation.type(keys=["coalitionNumber"])
class Member:
    """The coalition's member, with a field more."""

    coalition_number: str

    @strawberry.field
    def favourite_airport(self) -> str | None:
        """Its code; null if it is not known."""
        return AIRPORTS.get(self.coalition_number)


@strawberry.federation.type(keys=["brand { code } number"])
class Membership:
    """The coalition's membership, by what is printed on its card."""

    brand: "Brand"
    number: str


@strawberry.federation.type(keys=[Key(fields=FieldSet("code"), resolvable=False)])
class Brand:
    """The coalition's brand."""

    code: str


@strawberry.type
class Query:
    """What the partner answers by itself."""

    @strawberry.field
    def frequent_flyers(self) -> list[Member | None]:
        """Everybody whose airport is known, by number."""
        return [Member(coalition_number=number) for number in sorted(AIRPORTS)]

    @strawberry.field
    def card(self, brand: str, number: str) -> Membership | None:
        """A card that was shown at a desk."""
        return Membership(brand=Brand(code=brand), number=number)

    @strawberry.field
    def airports(self) -> AirportConnection:
        """All that anybody likes."""
        codes = sorted(set(AIRPORTS.values()))
        return AirportConnection(
            edges=[AirportEdge(node=Airport(code=code), cursor=code) for code in codes],
            page_info=PageInfo(
                has_next_page=False, has_previous_page=False, start_cursor=None, end_cursor=None
            ),
        )


SCHEMA = Schema(query=Query, federation_version="2.9")


def main() -> None:
    """Serves until told to stop."""
    AIRPORTS.update(orjson.loads(sys.argv[1]))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        sys.stdout.write(f"The partner serves http://127.0.0.1:{port}/\n")
        sys.stdout.flush()
        config = uvicorn.Config(GraphQL(SCHEMA), log_level="warning")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
