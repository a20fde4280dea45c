"""What the walk comes to know as it goes, to be asked for later."""

from random import Random
from typing import Any

from schema.nodes import Tag, read_global_id

FIRST = 4
RECENT = 30
"""What came up first are the things of the people whose data is watched for. They, and what came
up last, are asked for more often than the rest."""

LEARNT = {
    "code": "brand",
    "number": "number",
    "coalitionNumber": "coalition",
    "externalId": "external",
    "cursor": "cursor",
    "endCursor": "cursor",
    "startCursor": "cursor",
    "surname": "surname",
}
"""By the name of a field: what kind of text is in it."""


class Known:
    """What the walk has come to know: ids by their tag, and texts by their kind."""

    def __init__(self) -> None:
        self.ids: dict[Tag, list[str]] = {}
        self.texts: dict[str, list[str]] = {}

    def learn(self, data: Any) -> None:
        """Notes whatever an answer names."""
        if isinstance(data, list):
            for each in data:
                self.learn(each)
        elif isinstance(data, dict):
            for name, value in data.items():
                if isinstance(value, str):
                    self.note(name, value)
                else:
                    self.learn(value)

    def note(self, name: str, text: str) -> None:
        """Notes an id, or a text under the name of its field."""
        if name == "code" and "_" in text:  # an error's, not a brand's
            return
        if name == "id" and (found := read_global_id(text)):
            known = self.ids.setdefault(found.tag, [])
        elif name in LEARNT:
            known = self.texts.setdefault(LEARNT[name], [])
        else:
            return
        if text not in known:
            known.append(text)

    def identifier(self, name: str, chance: Random) -> str:
        """The global id of something there is, of the type that the name asks for if it does."""
        meant = "membership" if name in ("source", "destination") else name.lower()
        fitting = [tag for tag in self.ids if tag.name.lower() in meant]
        tag = max(fitting, key=lambda tag: len(tag.name), default=None)
        return _pick(self.ids[tag or chance.choice(list(self.ids))], chance)

    def text(self, kind: str, chance: Random) -> str | None:
        """A text of this kind, if one is known."""
        known = self.texts.get(kind)
        return _pick(known, chance) if known else None


def _pick(known: list[str], chance: Random) -> str:
    dice = chance.random()
    if dice < 0.4:
        return chance.choice(known[:FIRST])
    return chance.choice(known[-RECENT:] if dice < 0.7 else known)
