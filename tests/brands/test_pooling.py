"""Agreeing to pool points: by both, once, and never more than a household holds."""

import orjson
import pytest

from brands.callers import CallerKind
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.errors import (
    AlreadyInHousehold,
    HouseholdFull,
    HouseholdNotFound,
    InvitationNotFound,
    NotPermitted,
    SameMember,
    TooManyInvitations,
)
from brands.ids import new_id
from brands.members import Profile
from brands.memberships import close_membership, memberships_of
from brands.moving.households import ShownName, share_household
from brands.moving.pooling import MAX_INVITATIONS, MAX_MEMBERS, answer, invite, leave
from brands.moving.recipients import Recipient
from brands.rejections import RecipientNotFound
from tests.brands.cast import (
    AGENCY,
    OPERATOR,
    OPERATOR_WITH_PII,
    brand_caller,
    connect_all,
    count_rows,
    member_caller,
    somebody,
)
from tests.brands.pool import (
    ask,
    households,
    invitations,
    join,
    outcomes,
    poolers,
    statuses,
)

ALONE: set[int] = set()


async def test_two_agree(coalition: Coalition) -> None:
    """Members share a household once one has invited and the other has accepted, not before."""
    people = ada, bea, eve = await poolers(coalition, 3)
    invitation = await ask(coalition, ada, bea)
    assert await households(coalition, people) == [{0}, ALONE, ALONE]
    assert not await share_household(coalition, ada.id, bea.id)
    household = await answer(coalition, bea.caller, invitation, accept=True)
    assert household is not None
    assert await households(coalition, people) == [{0, 1}, {0, 1}, ALONE]
    assert await share_household(coalition, ada.id, bea.id)
    assert not await share_household(coalition, ada.id, eve.id)
    assert await invitations(coalition, bea) == []


async def test_what_is_done_again_changes_nothing(coalition: Coalition) -> None:
    """Inviting, accepting, declining and leaving a second time answer as they did the first."""
    ada, bea, eve = await poolers(coalition, 3)
    invitation, other = await ask(coalition, ada, bea), await ask(coalition, ada, eve)
    assert await ask(coalition, ada, bea) == invitation
    first = await answer(coalition, bea.caller, invitation, accept=True)
    assert first is not None
    await answer(coalition, eve.caller, other, accept=False)
    acts = await count_rows(coalition, "actions")
    assert await answer(coalition, bea.caller, invitation, accept=True) == first
    assert await answer(coalition, eve.caller, other, accept=False) is None
    assert await count_rows(coalition, "actions") == acts
    await leave(coalition, bea.caller, first.id)
    acts = await count_rows(coalition, "actions")
    await leave(coalition, bea.caller, first.id)
    assert await count_rows(coalition, "actions") == acts


async def test_an_answer_stands(coalition: Coalition) -> None:
    """What was accepted cannot be declined, nor the reverse, nor accepted after leaving; but she
    can be invited again."""
    people = ada, bea, eve = await poolers(coalition, 3)
    accepted, declined = await ask(coalition, ada, bea), await ask(coalition, ada, eve)
    household = await answer(coalition, bea.caller, accepted, accept=True)
    assert household is not None
    await answer(coalition, eve.caller, declined, accept=False)
    with pytest.raises(InvitationNotFound):
        await answer(coalition, bea.caller, accepted, accept=False)
    with pytest.raises(InvitationNotFound):
        await answer(coalition, eve.caller, declined, accept=True)
    assert await join(coalition, bea, eve) == household.id
    await leave(coalition, eve.caller, household.id)
    with pytest.raises(InvitationNotFound):
        await answer(coalition, eve.caller, declined, accept=True)
    assert await households(coalition, people) == [{0, 1}, {0, 1}, ALONE]


@pytest.mark.parametrize("accept", [True, False])
async def test_nobody_answers_for_another(coalition: Coalition, accept: bool) -> None:
    """An invitation is there for the invited alone: for nobody else, the inviter included."""
    ada, bea, eve = await poolers(coalition, 3)
    invitation = await ask(coalition, ada, bea)
    for caller in (ada.caller, eve.caller):
        with pytest.raises(InvitationNotFound):
            await answer(coalition, caller, invitation, accept=accept)
    with pytest.raises(InvitationNotFound):
        await answer(coalition, bea.caller, new_id(0), accept=accept)
    assert await invitations(coalition, bea) == [invitation]


async def test_only_members_agree(coalition: Coalition) -> None:
    """The operator, brands and agencies neither invite, nor answer, nor leave, and nothing is
    looked up for them."""
    people = ada, bea = await poolers(coalition, 2)
    invitation = await ask(coalition, ada, bea)
    brand = coalition.registry.snapshot.brand("AERO")
    for caller in (OPERATOR, OPERATOR_WITH_PII, brand_caller(brand), AGENCY):
        assert caller.kind is not CallerKind.MEMBER
        with pytest.raises(NotPermitted):
            await invite(coalition, caller, bea.recipient)
        with pytest.raises(NotPermitted):
            await invite(coalition, caller, Recipient("AERO", "A-1", "Nobody"))
        with pytest.raises(NotPermitted):
            await answer(coalition, caller, invitation, accept=True)
        with pytest.raises(NotPermitted):
            await leave(coalition, caller, new_id(0))
    assert await households(coalition, people) == [{0}, ALONE]


async def test_whom_one_cannot_invite(coalition: Coalition) -> None:
    """Herself, a fellow, and whoever cannot be found as a recipient; none founds a household."""
    ada, bea, eve = await poolers(coalition, 3)
    with pytest.raises(SameMember):
        await invite(coalition, ada.caller, ada.recipient)
    for number, surname in (("A-9", "ea 1"), ("A-1", "ea 2"), ("A-1", "")):
        with pytest.raises(RecipientNotFound):
            await invite(coalition, ada.caller, Recipient("AERO", number, surname))
    held = await memberships_of(coalition, OPERATOR, [eve.id])
    await close_membership(coalition, OPERATOR, held[eve.id][0].id)
    with pytest.raises(RecipientNotFound):
        await invite(coalition, ada.caller, eve.recipient)
    assert await count_rows(coalition, "households") == 0
    await join(coalition, ada, bea)
    with pytest.raises(AlreadyInHousehold):
        await invite(coalition, ada.caller, bea.recipient)


async def test_one_household_at_a_time(coalition: Coalition) -> None:
    """Who is in a household is invited like anybody, and cannot accept before she has left."""
    people = ada, bea, eve = await poolers(coalition, 3)
    household = await join(coalition, ada, bea)
    invitation = await ask(coalition, eve, bea)
    with pytest.raises(AlreadyInHousehold):
        await answer(coalition, bea.caller, invitation, accept=True)
    assert await invitations(coalition, bea) == [invitation]
    await leave(coalition, bea.caller, household)
    await answer(coalition, bea.caller, invitation, accept=True)
    assert await households(coalition, people) == [ALONE, {1, 2}, {1, 2}]


async def test_a_household_of_one_is_dissolved(coalition: Coalition) -> None:
    """When one is left and nobody is invited, by a leave or by a decline, there is no household."""
    people = ada, bea, eve = await poolers(coalition, 3)
    household = await join(coalition, ada, bea)
    await leave(coalition, ada.caller, household)
    assert await households(coalition, people) == [ALONE, ALONE, ALONE]
    invitation = await ask(coalition, ada, eve)
    await answer(coalition, eve.caller, invitation, accept=False)
    assert await households(coalition, people) == [ALONE, ALONE, ALONE]
    rows = await coalition.database.fetch("SELECT dissolved_at FROM households")
    assert [row["dissolved_at"] is None for row in rows] == [False, False]
    assert set((await statuses(coalition)).values()) == {"LEFT", "DECLINED"}


async def test_a_leave_withdraws_what_the_leaver_sent(coalition: Coalition) -> None:
    """Her open invitations end with her leaving, those of the others stay, and so does a household
    of one who has invited."""
    people = ada, bea, eve, joy = await poolers(coalition, 4)
    household = await join(coalition, ada, bea)
    withdrawn, kept = await ask(coalition, ada, eve), await ask(coalition, bea, joy)
    await leave(coalition, ada.caller, household)
    assert await invitations(coalition, eve) == []
    for accept in (True, False):
        with pytest.raises(InvitationNotFound):
            await answer(coalition, eve.caller, withdrawn, accept=accept)
    await answer(coalition, joy.caller, kept, accept=True)
    assert await households(coalition, people) == [ALONE, {1, 3}, ALONE, {1, 3}]


async def test_a_household_that_is_not_hers(coalition: Coalition) -> None:
    """Nobody leaves a household that she was never in, be it another's or none at all."""
    people = ada, bea, eve = await poolers(coalition, 3)
    household = await join(coalition, ada, bea)
    await ask(coalition, ada, eve)
    for unknown in (household, new_id(0)):
        with pytest.raises(HouseholdNotFound):
            await leave(coalition, eve.caller, unknown)
    assert await households(coalition, people) == [{0, 1}, {0, 1}, ALONE]


async def test_bounds(coalition: Coalition) -> None:
    """A household has so many members and so many open invitations, and no more; the figures are
    told."""
    people = await poolers(coalition, 2 + MAX_INVITATIONS)
    ada, *others = people
    sent = [await ask(coalition, ada, each) for each in others[:MAX_INVITATIONS]]
    with pytest.raises(TooManyInvitations) as many:
        await ask(coalition, ada, others[-1])
    assert many.value.limit == MAX_INVITATIONS
    assert await ask(coalition, ada, others[0]) == sent[0]
    for each, invitation in zip(others[: MAX_MEMBERS - 1], sent, strict=False):
        await answer(coalition, each.caller, invitation, accept=True)
    with pytest.raises(HouseholdFull) as full:
        await answer(coalition, others[MAX_MEMBERS].caller, sent[MAX_MEMBERS], accept=True)
    assert full.value.limit == MAX_MEMBERS
    with pytest.raises(HouseholdFull):
        await ask(coalition, ada, others[-1])
    assert (await households(coalition, people))[0] == set(range(MAX_MEMBERS))


async def test_the_ninth_never_gets_in(coalition: Coalition) -> None:
    """Of more invitations accepted at once than there is room, as many succeed as there is."""
    people = ada, *others = await poolers(coalition, MAX_MEMBERS + 4)
    sent = [await ask(coalition, ada, each) for each in others]
    await connect_all(coalition)
    found = await outcomes(
        *(
            answer(coalition, each.caller, invitation, accept=True)
            for each, invitation in zip(others, sent, strict=True)
        )
    )
    refused = [each for each in found if isinstance(each, Exception)]
    assert len(refused) == len(people) - MAX_MEMBERS
    assert {type(each) for each in refused} == {HouseholdFull}
    assert len((await households(coalition, people))[0]) == MAX_MEMBERS


async def test_two_invitations_accepted_at_once(coalition: Coalition) -> None:
    """Who accepts several invitations at once comes into one household."""
    people = *inviters, bea = await poolers(coalition, 6)
    sent = [await ask(coalition, each, bea) for each in inviters]
    await connect_all(coalition)
    found = await outcomes(*(answer(coalition, bea.caller, id, accept=True) for id in sent))
    refused = [each for each in found if isinstance(each, Exception)]
    assert {type(each) for each in refused} == {AlreadyInHousehold}
    assert len(refused) == len(sent) - 1
    assert len((await households(coalition, people))[-1]) == 2


async def test_one_invitation_answered_at_once(coalition: Coalition) -> None:
    """Accepted and declined several times at once, an invitation is either."""
    people = ada, bea = await poolers(coalition, 2)
    invitation = await ask(coalition, ada, bea)
    await connect_all(coalition)
    found = await outcomes(
        *(answer(coalition, bea.caller, invitation, accept=i % 2 == 0) for i in range(6))
    )
    refused = [each for each in found if isinstance(each, Exception)]
    assert len(refused) == 3
    assert {type(each) for each in refused} == {InvitationNotFound}
    assert await households(coalition, people) in ([{0, 1}, {0, 1}], [ALONE, ALONE])


async def test_inviting_at_once(coalition: Coalition) -> None:
    """Who invites several at once, and each twice, founds one household and sends each one
    invitation."""
    people = ada, *others = await poolers(coalition, 4)
    await connect_all(coalition)
    sent = await outcomes(*(ask(coalition, ada, each) for each in others * 2))
    assert sent[:3] == sent[3:]
    assert await count_rows(coalition, "households") == 1
    assert (await households(coalition, people))[0] == {0}


async def test_a_leave_races_an_accept(coalition: Coalition) -> None:
    """When the inviter leaves while she is accepted, nobody ends in a household of one."""
    people = ada, bea = await poolers(coalition, 2)
    await connect_all(coalition)
    for _ in range(5):
        invitation = await ask(coalition, ada, bea)
        rows = await coalition.database.fetch(
            "SELECT id FROM households WHERE dissolved_at IS NULL"
        )
        await outcomes(
            answer(coalition, bea.caller, invitation, accept=True),
            leave(coalition, ada.caller, as_uuid(rows[0]["id"])),
        )
        assert await households(coalition, people) == [ALONE, ALONE]
        assert "INVITED" not in (await statuses(coalition)).values()


async def test_every_change_is_on_record(coalition: Coalition) -> None:
    """Each change leaves an act, by whom, with ids alone; what is refused leaves none."""
    ada, bea, eve = await poolers(coalition, 3)
    before = await count_rows(coalition, "actions")
    household = await join(coalition, ada, bea)
    await answer(coalition, eve.caller, await ask(coalition, ada, eve), accept=False)
    with pytest.raises(InvitationNotFound):
        await answer(coalition, eve.caller, new_id(0), accept=True)
    await leave(coalition, ada.caller, household)
    rows = await coalition.database.fetch("SELECT * FROM actions ORDER BY at, id")
    acts = [(row["action"], row["client"]) for row in rows[before:]]
    a, b, e = (each.caller.client for each in (ada, bea, eve))
    assert sorted(acts) == sorted(
        [
            ("household.found", a),
            ("household.invite", a),
            ("household.accept", b),
            ("household.invite", a),
            ("household.decline", e),
            ("household.leave", a),
            ("household.dissolve", a),
        ]
    )
    details = [orjson.loads(row["details"]) for row in rows[before:]]
    assert set().union(*details) == {"household", "member"}
    assert "Given" not in str(details)


async def test_a_member_without_a_name_invites(coalition: Coalition) -> None:
    """Who has no profile can invite, and is shown without a name."""
    bea, *_ = await poolers(coalition, 1)
    nameless = await somebody(coalition, ("AERO", "A-99"), profile=Profile("X", "Nameless"))
    await coalition.database.fetch("DELETE FROM profiles WHERE member_id = $1", nameless.member.id)
    invitation = await invite(coalition, member_caller(nameless.member.id), bea.recipient)
    assert invitation.inviter == ShownName(None, None)
