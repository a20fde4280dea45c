"""What was used last: a mapping that forgets the rest, so that it never grows beyond a bound."""

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Latest(Generic[Key, Value]):
    """Holds so much and no more: of what is put into it, that which was longest in no use goes
    first. Each thing counts one, unless it is said to weigh more."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self.weight = 0
        """What all that is held weighs."""

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: Key) -> bool:
        return key in self._kept

    def get(self, key: Key) -> Value | None:
        """What is held by this key, which counts as a use."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: Key, value: Value, weight: int = 1) -> Value:
        """Holds the value, in the place of what was held by the key."""
        self.drop(key)
        self._kept[key] = value, weight
        self.weight += weight
        while self.weight > self._most:
            _, (_, gone) = self._kept.popitem(last=False)
            self.weight -= gone
        return value

    def drop(self, key: Key) -> None:
        """Lets go of what is held by this key."""
        self.weight -= self._kept.pop(key, (None, 0))[1]
