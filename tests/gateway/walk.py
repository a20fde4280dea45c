"""A walk of the whole contract: every operation, as every kind of caller, with input that is right,
odd, or hostile.

Each example follows from the seed and its own number alone, but for what earlier ones have left.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any, NamedTuple

from graphql import GraphQLObjectType, GraphQLSchema

from tests.gateway.stage import Stage
from tests.gateway.walk_cast import CALLERS, Cast
from tests.gateway.walk_documents import Asked, Writer, whole
from tests.gateway.walk_known import Known
from tests.gateway.walk_laws import answers, broken
from tests.gateway.walk_values import Mood, Values
from tests.gateway.walk_wire import Got, Sent, call, envelope

SEED = os.environ.get("COALITION_TEST_WALK_SEED", "coalition")
SCENE_LASTS = 250
"""Examples: after so many comes the next one."""


def operations(schema: GraphQLSchema) -> list[tuple[str, str]]:
    """Every field of every root, by the kind of operation."""
    roots = {
        "query": schema.query_type,
        "mutation": schema.mutation_type,
        "subscription": schema.subscription_type,
    }
    return [(kind, name) for kind, root in roots.items() if root for name in root.fields]


class Turn(NamedTuple):
    """Who asks for what, and how."""

    kind: str
    name: str
    who: str
    mood: Mood


def _turns(schema: GraphQLSchema) -> Iterator[Turn]:
    """Every operation over and over, as each caller in turn and, each, in every mood."""
    listed, callers, moods = operations(schema), len(CALLERS), tuple(Mood)
    for turn in count():
        mood = moods[(turn + turn // callers) % len(moods)]
        for place, (kind, name) in enumerate(listed):
            yield Turn(kind, name, CALLERS[(turn + place) % callers], mood)


class Walk:
    """Walks. `found` are the laws that were broken, each with the example that did it."""

    def __init__(self, stage: Stage, schema: GraphQLSchema) -> None:
        self.found: list[str] = []
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._stage = stage
        self._schema = schema
        self._known = Known()
        self.cast = Cast(stage)
        self._books: list[tuple[str, Any]] = []

    async def go(self, examples: int) -> None:
        """So many examples, spread over operations and callers."""
        await self.cast.enter(self._known, -(-examples // SCENE_LASTS))
        self._books = await self._stage.books()
        for number, turn in zip(range(examples), _turns(self._schema), strict=False):
            if number % SCENE_LASTS == 0:
                self.cast.change_scene()
            if number == examples // 2:  # some are still as they were, others are not
                await self._look_up_everybody()
            await self._example(number, turn)

    async def _look_up_everybody(self) -> None:
        """As every caller, the people by every name of theirs, and all that there is about them."""
        member = self._schema.type_map["Member"]
        assert isinstance(member, GraphQLObjectType)
        query = f"query ($by: MemberBy!) {{ member(by: $by) {whole(member, 2)} }}"
        for who in CALLERS:
            for by in self.cast.names:
                asked = Asked("query", "member", query, {"by": by})
                await self._ask(f"looking up, {who}", who, asked, Random(0), Mood.PLAIN)

    async def _example(self, number: int, turn: Turn) -> None:
        chance = Random(f"{SEED}/{number}")
        values = Values(chance, self._known, turn.mood)
        cast = self.cast
        writer = Writer(self._schema, chance, values, cast.template, cast.arguments)
        asked = writer.write(turn.kind, turn.name)
        said = f"seed {SEED}, example {number}, {turn.who}"
        await self._ask(said, turn.who, asked, chance, turn.mood)

    async def _ask(self, said: str, who: str, asked: Asked, chance: Random, mood: Mood) -> None:
        sent = envelope(chance, asked, self.cast.token(who), mood)
        try:
            got = await call(self._stage.app, sent)
        except (Exception, asyncio.CancelledError) as error:
            self.found.append(f"{type(error).__name__} raised by the application; {said}: {sent}")
            return
        wrong = [*broken(sent, got), *await self._leaks(who, sent, got)]
        wrong += await self._changes(asked, got)
        shown = f"{said}: {sent} -> {got.status} {got.body[:1_000]!r}"
        self.found += [f"{each}; {shown}" for each in wrong]
        self._note(asked, got)

    async def _leaks(self, who: str, sent: Sent, got: Got) -> list[str]:
        """What this caller should not have been told. What it wrote itself, it may read again."""
        shown = [text for text in self.cast.secrets() if text.encode() in got.body]
        for canary in self.cast.canaries:
            told = canary.text.encode() in got.body and canary.text not in sent.text
            if told and not await self.cast.may_see(who, canary):
                shown.append(canary.text)
        return [f"leaks {each}" for each in shown]

    async def _changes(self, asked: Asked, got: Got) -> list[str]:
        """Nothing changes but by a mutation that says that it has done something."""
        before, self._books = self._books, await self._stage.books()
        if before == self._books or (asked.kind == "mutation" and _acknowledged(got)):
            return []
        return [f"changed {set(before) ^ set(self._books)}"]

    def _note(self, asked: Asked, got: Got) -> None:
        if got.is_stream and not got.body.count(b"event: next"):
            self.outcomes[asked.field, "done"] += 1  # it is listened to; nothing happens as yet
        for answer in answers(got):
            data = (answer or {}).get("data")
            self._known.learn(data)
            if data and data.get(asked.field) and not (answer or {}).get("errors"):
                done = asked.kind != "mutation" or _acknowledged(got)
                self.outcomes[asked.field, "done" if done else "refused"] += 1
                return
        self.outcomes[asked.field, f"status {got.status}"] += 1


def _acknowledged(got: Got) -> bool:
    """Whether a mutation was carried out: some payload has no errors."""
    payloads = [
        each for answer in answers(got) for each in ((answer or {}).get("data") or {}).values()
    ]
    return any(isinstance(each, dict) and each.get("errors") == [] for each in payloads)
