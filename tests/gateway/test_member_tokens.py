"""Members' tokens: whom they stand for, and when they end."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.callers.issuer_keys import FixedKeys, SigningKey, signing_keys
from gateway.callers.member_tokens import SKEW_SECONDS, MemberTokens, NotVouched, Trusted
from gateway.issuers import MemberName
from tests.gateway.issuing import AERO_LOGIN, LOGIN, VIEWER, Scene, TestIssuer, open_scene, web
from tests.gateway.stage import Stage, open_stage
from tests.gateway.test_statements import WALLET, statements

__all__ = ["statements"]


@pytest.fixture(scope="module")
def issuers() -> tuple[TestIssuer, TestIssuer]:
    """Their keys take a while to make."""
    return TestIssuer(LOGIN), TestIssuer(AERO_LOGIN)


@pytest.fixture
async def scene(url: str, issuers: tuple[TestIssuer, TestIssuer]) -> AsyncIterator[Scene]:
    """A gateway that trusts both issuers."""
    async with open_scene(url, *issuers) as opened:
        yield opened


@pytest.mark.parametrize("alg", ["ES256", "RS256", "EdDSA"])
async def test_a_member_is_let_in(scene: Scene, alg: str) -> None:
    """A token that the coalition's issuer signed stands for the member it names; her client is
    the same whichever token of that issuer she shows."""
    viewer = await scene.admitted(scene.login.token(scene.ada, alg))
    assert viewer is not None
    assert viewer["kind"] == "MEMBER"
    assert viewer["member"] == {"coalitionNumber": scene.ada, "externalId": "crm-1"}
    again = await scene.admitted(scene.login.token(scene.ada, alg, jti="another"))
    assert again == viewer
    assert viewer["client"].endswith(f"/{LOGIN}")


async def test_a_brands_issuer_speaks_for_its_members(scene: Scene) -> None:
    """A brand's issuer names a member by the brand's own external id; she sees all of herself."""
    wallet = "{ viewer { member { coalitionNumber memberships { brand { code } } } } }"
    answer = await scene.stage.data(wallet, who=scene.aero.token("crm-1"))
    held = {each["brand"]["code"] for each in answer["viewer"]["member"]["memberships"]}
    assert (answer["viewer"]["member"]["coalitionNumber"], held) == (scene.ada, {"AERO", "HOTEL"})


async def test_and_for_nobody_else(scene: Scene) -> None:
    """A brand's issuer cannot name another's member, nor one whose membership there is closed, and
    says nothing at all while the brand is suspended."""
    fetch = scene.stage.coalition.database.fetch
    for name in ("crm-2", scene.ada, scene.bob):
        assert await scene.admitted(scene.aero.token(name)) is None
    token = scene.aero.token("crm-1")
    assert await scene.admitted(token)
    await fetch("UPDATE brands SET status = 'SUSPENDED' WHERE code = 'AERO'")
    await fetch("UPDATE coalition SET epoch = epoch + 1")
    assert await scene.admitted(token) is None
    assert (await scene.stage.post({"query": VIEWER}, "aero")).status_code == 401
    await fetch("UPDATE brands SET status = 'ACTIVE' WHERE code = 'AERO'")
    await fetch("UPDATE coalition SET epoch = epoch + 1")
    assert await scene.admitted(token)
    await fetch("UPDATE memberships SET status = 'CLOSED'")
    assert await scene.admitted(token) is None


async def test_a_member_that_is_gone(scene: Scene) -> None:
    """A remembered token dies with its member, and one of a member that never was is nobody's."""
    token = scene.login.token(scene.ada)
    assert await scene.admitted(token)
    fetch = scene.stage.coalition.database.fetch
    await fetch("UPDATE members SET coalition_number = 'GONE' WHERE external_id = 'crm-1'")
    assert await scene.admitted(token) is None
    assert await scene.admitted(scene.login.token("7000000000000000")) is None


async def test_without_issuers(stage: Stage) -> None:
    """A deployment that trusts no issuer takes no token of any."""
    login = TestIssuer()
    ada = await stage.enrol("AERO")
    response = await stage.post({"query": VIEWER}, login.token(ada.number))
    assert response.status_code == 401


async def test_the_wallet_takes_three(
    scene: Scene, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a member's token, too, the wallet takes three statements, one of them for the
    credential; its signature is checked once."""
    token = scene.login.token(scene.ada)
    assert await scene.admitted(token)
    monkeypatch.setattr("gateway.callers.issuer_keys.SigningKey.verifies", None)
    statements.clear()
    data = await scene.stage.data(f"{{ viewer {{ member {{ {WALLET} }} }} }}", who=token)
    assert len(statements) <= 3, statements
    assert len(data["viewer"]["member"]["memberships"]) == 2


async def test_a_member_by_her_id(url: str) -> None:
    """An issuer may know a member by the id that the API gives her, in a claim of its own."""
    login = TestIssuer()
    trusted = login.trusted(member=MemberName.ID, member_claim="loyalty_id")
    async with open_stage(url, web=web(login), issuers=(trusted,)) as stage:
        ada = await stage.enrol("AERO")
        token = login.token("somebody", loyalty_id=ada.id)
        data = await stage.data("{ viewer { member { id } } }", who=token)
        assert data == {"viewer": {"member": {"id": ada.id}}}
        for other in (ada.number, ada.memberships["AERO"], "7", 7):
            response = await stage.post({"query": VIEWER}, login.token("x", loyalty_id=other))
            assert response.status_code == 401


class Withdrawn(FixedKeys):
    """Keys of which one can be withdrawn."""

    gone = False

    def holds(self, key: SigningKey) -> bool:
        """Until it has gone."""
        return not self.gone

    async def find(self, key_id: str) -> SigningKey | None:
        """Until it has gone."""
        return None if self.gone else await super().find(key_id)


async def test_what_is_remembered(issuers: tuple[TestIssuer, TestIssuer]) -> None:
    """A remembered token ends with its time, to the second, and with its key; only so many are
    remembered, the latest."""
    login, _ = issuers
    keys = Withdrawn(signing_keys({"keys": login.published}))
    now = [time.time()]
    tokens = MemberTokens([Trusted(login.trusted(), keys)], lambda: now[0])
    ends = int(now[0]) + 600 + SKEW_SECONDS
    token = login.token("7", exp=int(now[0]) + 600)
    assert (await tokens.read(token)).member.coalition_number == "7"
    now[0] = ends - 1
    await tokens.read(token)
    now[0] = ends
    with pytest.raises(NotVouched, match="expired"):
        await tokens.read(token)
    now[0] = ends - 1
    keys.gone = True
    with pytest.raises(NotVouched, match="key"):
        await tokens.read(token)


async def test_so_many_are_remembered(
    issuers: tuple[TestIssuer, TestIssuer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of good tokens those used last are remembered, only so many, and of bad ones none."""
    login, _ = issuers
    monkeypatch.setattr("gateway.callers.member_tokens.MAX_REMEMBERED", 3)
    keys = FixedKeys(signing_keys({"keys": login.published}))
    tokens = MemberTokens([Trusted(login.trusted(), keys)])
    checked: list[int] = []
    verifies = SigningKey.verifies

    def counted(key: SigningKey, *given: Any) -> bool:
        checked.append(1)
        return verifies(key, *given)

    monkeypatch.setattr(SigningKey, "verifies", counted)
    made = [login.token(str(number)) for number in range(4)]
    bad = login.token("9")[:-8] + "AAAAAAAA"
    for token, times in ((made[0], 1), (made[1], 2), (made[2], 3), (made[0], 3), (made[3], 4)):
        with pytest.raises(NotVouched):
            await tokens.read(bad)
        checked.pop()
        await tokens.read(token)
        assert len(checked) == times
    await tokens.read(made[0])
    assert len(checked) == 4
    await tokens.read(made[1])
    assert len(checked) == 5, "the one that was not used for longest is checked again"
