"""The cast of the walk: callers of every kind, and people whose data nobody else may get to see.

Each of them is called by names that come nowhere else: wherever one turns up, it is hers.
"""

from dataclasses import dataclass
from itertools import count

from brands.callers import CallerKind
from brands.credentials import NewKey
from tests.gateway.authorization_scene import Scene, arguments, inputs, set_scene
from tests.gateway.stage import BRANDS, PEPPER, Json, Stage, key, uuid_of
from tests.gateway.walk_known import Known

BRAND_CALLERS = tuple(code.lower() for code in BRANDS)
CALLERS = ("operator", "pii", *BRAND_CALLERS, "agency", "ada", "bob", "zelda", "nobody", "stale")
"""`operator` lacks the scope of `pii`; `zelda` is one of the people below; `nobody` has no
credential, and `stale` one that is none."""

INPUTS_LAST = 10
"""So often the same inputs are handed out: some come after others, like a code that is taken."""

_PEOPLE = {
    "zelda": ("aero", ("AERO", "HOTEL")),
    "yorick": ("hotel", ("HOTEL",)),
    "xenia": ("coffee", ("COFFEE", "GROCER")),
    "wanda": ("operator", ("AERO", "COFFEE")),
}
"""By name: who enrols her, and at which brands."""


_SHOWN_WHILE = {"coalitionNumber": ("ACTIVE", "CLOSED")}
"""To a brand, by field: of members whose membership there is like this. The others: while active.
"""


@dataclass(frozen=True, slots=True)
class Canary:
    """A text about a member, and which caller it is of."""

    text: str
    member: str
    who: str
    field: str
    enrolled_by: str


class Cast:
    """Who walks, and what must not be found."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.canaries: list[Canary] = []
        self.names: list[Json] = []
        """The people by every name that there is for them, as `MemberBy`."""
        self.members: dict[str, str] = {}
        self._scenes: list[tuple[Scene, dict[str, str]]] = []
        self._scene: Scene | None = None
        self._inputs: dict[str, Json] = {}
        self._asked = count()

    def token(self, who: str) -> str | None:
        """The credential of a caller."""
        if who == "nobody":
            return None
        return "ck_o_0123456789abcdef." + "A" * 43 if who == "stale" else self.stage.tokens[who]

    def secrets(self) -> list[str]:
        """What nobody is ever told."""
        tokens = [token.partition(".")[2] for token in self.stage.tokens.values()]
        return [*tokens, PEPPER.decode()]

    def template(self, mutation: str) -> Json | None:
        """An input that a mutation could be asked with, each time with another key."""
        if next(self._asked) % INPUTS_LAST == 0 or not self._inputs:
            assert self._scene is not None
            self._inputs = inputs(self._scene)
        given = self._inputs.get(mutation)
        if given is None or "idempotencyKey" not in given:
            return given
        return given | {"idempotencyKey": key()}

    def arguments(self, at: str) -> str | None:
        """What a field of a root is asked with, as GraphQL writes it, if that is known."""
        assert self._scene is not None
        return arguments(self._scene).get(at)

    async def enter(self, known: Known, scenes: int) -> None:
        """The callers, the people, and so many scenes: nothing is out of order yet."""
        tokens = self.stage.tokens
        tokens["pii"] = tokens["operator"]
        tokens["operator"] = await self.stage.token(NewKey(CallerKind.OPERATOR, "bare"))
        for name, (by, codes) in _PEOPLE.items():
            await self._enrol(name, by, codes, known)
        for code in BRANDS:
            known.note("code", code)
        for _ in range(scenes):
            scene = await set_scene(self.stage)
            self._scenes.append((scene, dict(tokens)))
            _learn(scene, known)

    def change_scene(self) -> None:
        """Another Ada with everything that she has: the walk has taken the last one apart."""
        self._scene, tokens = self._scenes.pop(0)
        self._inputs = {}
        self.stage.tokens.update(tokens)

    async def _enrol(self, name: str, by: str, codes: tuple[str, ...], known: Known) -> None:
        made_up = {
            "givenName": f"{name.title()}given",
            "familyName": f"{name.title()}family",
            "email": f"{name}-email@canary.test",
        }
        external = f"{name}-external"
        given = {"externalId": external, "profile": made_up, "idempotencyKey": key()}
        at_first = [code for code in codes if by in ("operator", code.lower())]
        made = await self.stage.do(
            "memberEnroll", given | {"brands": at_first}, "member { id coalitionNumber }", by
        )
        assert made["errors"] == []
        member = made["member"]["id"]
        for code in set(codes) - set(at_first):
            await self.stage.do("membershipOpen", {"member": {"id": member}, "brand": code})
        self.members[name] = member
        new = NewKey(CallerKind.MEMBER, "app", member_id=uuid_of(member))
        self.stage.tokens[name] = await self.stage.token(new)
        texts = made_up | {"externalId": external}
        self.canaries += [Canary(text, member, name, field, by) for field, text in texts.items()]
        data = await self.stage.data(
            "{ viewer { member { id coalitionNumber memberships { id number brand { code } } } } }",
            who=name,
        )
        known.learn(data)
        found = data["viewer"]["member"]
        number = found["coalitionNumber"]
        self.canaries.append(Canary(number, member, name, "coalitionNumber", by))
        self.names += [
            {"id": member},
            {"coalitionNumber": number},
            {"externalId": external},
            *(
                {"membership": {"brand": each["brand"]["code"], "number": each["number"]}}
                for each in found["memberships"]
            ),
        ]
        known.note("surname", made_up["familyName"])
        known.note("externalId", external)

    async def may_see(self, who: str, canary: Canary) -> bool:
        """Whether this caller may be told, as things are now."""
        if who in ("pii", canary.who):
            return True
        if canary.field == "externalId":
            return who in ("operator", canary.enrolled_by)
        if canary.field == "coalitionNumber" and who == "operator":
            return True
        if who in BRAND_CALLERS:
            held = await self._held(canary.member)
            return held.get(who.upper()) in _SHOWN_WHILE.get(canary.field, ("ACTIVE",))
        return canary.field == "givenName" and await self._pool(canary.member, who)

    async def _held(self, member: str) -> dict[str, str]:
        """The status of a member's memberships, by the code of the brand."""
        query = """query M($id: ID!) {
            member(by: {id: $id}) { memberships { status brand { code } } }
        }"""
        data = await self.stage.data(query, {"id": member}, "pii")
        return {each["brand"]["code"]: each["status"] for each in data["member"]["memberships"]}

    async def _pool(self, member: str, who: str) -> bool:
        """Whether a member has ever shared a household, or an invitation to one, with another."""
        if who not in self.stage.tokens or who == "agency":
            return False
        data = await self.stage.data("{ viewer { member { id } } }", who=who)
        if data["viewer"]["member"] is None:
            return False
        rows = await self.stage.coalition.database.fetch(
            "SELECT 1 AS found FROM household_members x JOIN household_members y"
            " ON y.household_id = x.household_id WHERE x.member_id = $1 AND y.member_id = $2",
            *(uuid_of(member), uuid_of(data["viewer"]["member"]["id"])),
        )
        return bool(rows)


def _learn(scene: Scene, known: Known) -> None:
    for name, thing in scene.things.items():
        known.note("coalitionNumber" if name in ("number", "newcomer") else "id", thing)
    for somebody in (scene.ada, scene.carol):
        known.note("surname", somebody.surname)
        known.note("id", somebody.id)
        for number in somebody.numbers.values():
            known.note("number", number)
