"""The callers over HTTP, a program of its own: `python -m tests.benchmarks.web_callers`.

Arguments: the port, a file of what they are told, how many connections, for how many seconds.
Prints the figures as JSON. HTTP/1.1 with as little ceremony as it allows: on a machine of few
cores, whatever the callers spend is taken from the gateway.
"""

import asyncio
import random
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import uvloop

from tests.benchmarks.load import drive

POINTS = 1_000

_MUTATION = """mutation Convert($input: TransferCreateInput!) {
  transferCreate(input: $input) {
    transfer { id pointsOut pointsIn status }
    replayed
    errors { __typename code message }
  }
}"""
_LENGTH = b"content-length: "
_END_OF_HEAD = b"\r\n\r\n"


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._received = bytearray()
        self._needed = 0
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        if not self._needed:
            head = received.find(_END_OF_HEAD)
            if head < 0:
                return
            length = received.lower().index(_LENGTH) + len(_LENGTH)
            until = received.index(b"\r\n", length)
            self._needed = head + len(_END_OF_HEAD) + int(received[length:until])
        if len(received) >= self._needed and self._answer is not None:
            answer, self._answer = self._answer, None
            answer.set_result(bytes(received[: self._needed]))
            self._received, self._needed = bytearray(), 0

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None:
            self._answer.set_exception(error or ConnectionResetError("the gateway hung up"))

    async def ask(self, request: bytes) -> bytes:
        """Sends a request and returns the whole response."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Hangs up."""
        self._transport.close()


class _Callers:
    """Converts points of members picked at random; the first answer that is no transfer ends it."""

    def __init__(self, told: dict[str, Any], connections: list[_Connection]) -> None:
        self._memberships = told["memberships"]
        self._head = (
            "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {told['token']}\r\ncontent-length: "
        ).encode()
        self._free = connections
        self._chance = random.Random()
        self._run = f"{self._chance.getrandbits(64):x}"
        self._asked = 0

    async def convert(self) -> None:
        """One mutation."""
        connection = self._free.pop()
        response = await connection.ask(self._request())
        self._free.append(connection)
        if b" 200 " not in response[:16] or b'"transfer":{' not in response:
            raise RuntimeError(response.decode())

    def _request(self) -> bytes:
        self._asked += 1
        source, destination = self._chance.choice(self._memberships)
        order = {"source": source, "destination": destination, "pointsOut": POINTS}
        given = {"transfer": order, "idempotencyKey": f"{self._run}-{self._asked}"}
        body = orjson.dumps({"query": _MUTATION, "variables": {"input": given}})
        return b"%b%d\r\n\r\n%b" % (self._head, len(body), body)


async def _main(port: int, told: bytes, in_flight: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(_Connection, "127.0.0.1", port))[1] for _ in range(in_flight)
    ]
    try:
        callers = _Callers(orjson.loads(told), list(connections))
        figures = await drive(callers.convert, in_flight, seconds)
    finally:
        for connection in connections:
            connection.close()
    print(orjson.dumps(asdict(figures)).decode())


if __name__ == "__main__":
    uvloop.run(
        _main(
            int(sys.argv[1]), Path(sys.argv[2]).read_bytes(), int(sys.argv[3]), float(sys.argv[4])
        )
    )
