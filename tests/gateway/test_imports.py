"""Imports: what a file of purchases leaves in the books, and what it says of its lines."""

import gzip
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from brands.coalition import Coalition, open_coalition
from brands.ledger.audit import audit
from brands.members import MemberBy, find
from brands.memberships import close_membership, memberships_of
from brands.purchases import Purchase
from gateway.files.purchase_file import FileRefused, read_purchases
from gateway.files.purchase_import import Counts, import_purchases, importer_of, open_purchases
from tests.brands.stage import open_brand


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Coalition]:
    """A coalition with one brand, TUNE, on each database in turn."""
    coalition = await open_coalition(url)
    try:
        await open_brand(coalition, "TUNE", ("0.01", "0.011", "0.01", "0.01"))
        yield coalition
        assert await audit(coalition.database) == []
    finally:
        await coalition.close()


async def load(
    coalition: Coalition, path: Path, text: str | bytes, *, enrol: bool = True
) -> tuple[Counts, dict[int, str]]:
    """What becomes of a file of this text: the counts, and the complaints by line."""
    file = path / "purchases.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    complaints: dict[int, str] = {}
    with open_purchases(file) as opened:
        counts = await import_purchases(
            coalition, "TUNE", opened, enrol=enrol, complain=complaints.__setitem__
        )
    return counts, complaints


async def balance(coalition: Coalition, customer: str) -> int:
    """The points of one of the brand's customers at it."""
    caller = importer_of(coalition, "TUNE")
    member = await find(coalition, caller, MemberBy(external_id=customer))
    assert member is not None
    (membership,) = (await memberships_of(coalition, caller, [member.id]))[member.id]
    return membership.posted


HEADER = "customer,date,reference,amount\n"


async def test_each_purchase_earns_its_whole_dollars(shop: Coalition, tmp_path: Path) -> None:
    """A purchase earns one point per whole dollar; one of less earns none and is counted so."""
    text = HEADER + "a,1997-01-02,1,11.99\na,19970103,2,0.99\nb,1997-01-04,3,7\nb,1997-01-04,4,0\n"
    counts, complaints = await load(shop, tmp_path, text)
    assert counts == Counts(loaded=2, no_points=2, points=18)
    assert complaints == {}
    assert await balance(shop, "a") == 11
    assert await balance(shop, "b") == 7


def test_the_day_is_the_brands() -> None:
    """A day begins when it begins in the brand's time zone; an offset says better."""
    days = ("1997-07-01", "1997-01-01T09:30", "1997-01-01T09:30Z")
    text = "number,date,amount\n" + "".join(f"N-1,{day},5\n" for day in days)
    lines = read_purchases(io.BytesIO(text.encode()), ZoneInfo("America/New_York"))
    bought = [line.content for line in lines]
    assert [each.event_at for each in bought if isinstance(each, Purchase)] == [
        datetime(1997, 7, 1, 4, tzinfo=UTC),
        datetime(1997, 1, 1, 14, 30, tzinfo=UTC),
        datetime(1997, 1, 1, 9, 30, tzinfo=UTC),
    ]


async def test_what_the_books_say(shop: Coalition, tmp_path: Path) -> None:
    """A transaction says when the purchase was made, in microseconds, and which it was."""
    text = HEADER + "a,1970-01-02,R-1,5\na,1970-01-02T01:00:00+01:00,R-2,5\n"
    await load(shop, tmp_path, text)
    rows = await shop.database.fetch(
        "SELECT reference, event_at, kind FROM transactions ORDER BY reference"
    )
    assert [(row["reference"], row["event_at"], row["kind"]) for row in rows] == [
        ("R-1", 86_400_000_000, "ACCRUAL"),
        ("R-2", 86_400_000_000, "ACCRUAL"),
    ]


async def test_loading_twice_counts_once(shop: Coalition, tmp_path: Path) -> None:
    """A file that is loaded again changes nothing, and a longer one adds what is new."""
    text = HEADER + "a,1997-01-02,1,10\nb,1997-01-02,2,20\n"
    await load(shop, tmp_path, text)
    again, _ = await load(shop, tmp_path, text)
    assert again == Counts(already_there=2)
    longer, _ = await load(shop, tmp_path, text + "a,1997-02-01,3,5\n")
    assert longer == Counts(already_there=2, loaded=1, points=5)
    assert await balance(shop, "a") == 15


async def test_alike_purchases_without_references(shop: Coalition, tmp_path: Path) -> None:
    """Without references two alike purchases are two, however they are written, in any order,
    and still count once when the file is loaded again."""
    lines = ["a,1997-01-02,10", "b,1997-01-02,10", "a,19970102,10.00", "a,1997-01-03,10"]
    counts, _ = await load(shop, tmp_path, "customer,date,amount\n" + "\n".join(lines))
    assert counts == Counts(loaded=4, points=40)
    again, _ = await load(shop, tmp_path, "customer,date,amount\n" + "\n".join(lines[::-1]))
    assert again == Counts(already_there=4)
    assert await balance(shop, "a") == 30


async def test_a_reference_is_one_purchases(shop: Coalition, tmp_path: Path) -> None:
    """A reference that comes again for another customer, amount or day is refused by its line."""
    text = HEADER + "a,1997-01-02,1,10\na,1997-01-02,1,11\nb,1997-01-02,1,10\na,1997-01-03,1,10\n"
    counts, complaints = await load(shop, tmp_path, text)
    assert counts == Counts(loaded=1, refused=3, points=10)
    assert complaints == dict.fromkeys((3, 4, 5), "1 is the reference of another purchase.")


BAD = {
    "a,1997-02-30,x,5": '"1997-02-30" is not a date like 1997-12-31',
    "a,yesterday,x,5": '"yesterday" is not a date like 1997-12-31',
    "a,,x,5": "no date",
    "a,0197-01-01,x,5": "the date 0197-01-01 is before 1900",
    "a,1997-01-02,x,-5": "the amount -5 is negative",
    "a,1997-01-02,x,": "no amount",
    "a,1997-01-02,x,$5": '"$5" is not an amount like 11.77',
    "a,1997-01-02,x,1e3": '"1e3" is not an amount like 11.77',
    "a,1997-01-02,x,NaN": '"NaN" is not an amount like 11.77',
    "a,1997-01-02,x,\u0665": '"\u0665" is not an amount like 11.77',
    "a,1997-01-02,x,1.2345678": '"1.2345678" is not an amount like 11.77',
    "a,1997-01-02,x,9007199254740992": "the amount 9007199254740992 is too large",
    "a,1997-01-02,x": "3 columns where the header has 4",
    "a,1997-01-02,x,5,6": "5 columns where the header has 4",
    "a": "1 column where the header has 4",
    ",1997-01-02,x,5": "no customer",
    f"{'a' * 101},1997-01-02,x,5": "the customer is longer than 100 characters",
    f"a,1997-01-02,{'x' * 101},5": "the reference is longer than 100 characters",
    '"a,1997-01-02,x,5': "not CSV: unexpected end of data",
    "a\0b,1997-01-02,x,5": "a control character",
}


async def test_bad_lines_are_named(shop: Coalition, tmp_path: Path) -> None:
    """Every bad line is named with its number and reason, and the good ones are loaded."""
    good = "a,1997-01-02,good,5"
    text = HEADER + "\n".join([*BAD, "", good, "b,9999-01-01,x,5"]) + "\n"
    counts, complaints = await load(shop, tmp_path, text)
    future = complaints.pop(len(BAD) + 4)
    assert "is in the future" in future
    assert complaints == dict(enumerate(BAD.values(), 2))
    assert counts == Counts(loaded=1, bad=len(BAD) + 1, points=5)


async def test_bytes_that_are_no_text(shop: Coalition, tmp_path: Path) -> None:
    """A line that is not UTF-8, or far too long, is bad; the next one is read all the same."""
    long = b"a" * 200_000 + b",1997-01-02,1,5\n"
    text = HEADER.encode() + b"\xff\xfe,1997-01-02,1,5\n" + long + b"a,1997-01-02,1,5\n"
    counts, complaints = await load(shop, tmp_path, text)
    assert complaints == {2: "not UTF-8 at byte 1", 3: "longer than 65536 bytes"}
    assert counts == Counts(loaded=1, bad=2, points=5)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "lacks customer (or number), date, amount"),
        ("name,date,amount\n", "lacks customer (or number)"),
        ("customer,amount\n", "lacks date"),
        ("customer,date,amount,date\n", "names date twice"),
        ("\x1f\x8b\x08", "cannot be read any further"),
    ],
)
async def test_files_that_are_refused(shop: Coalition, tmp_path: Path, text: str, why: str) -> None:
    """A file without the columns that are needed, or that is damaged, is refused in so many words,
    and loads nothing."""
    with pytest.raises(FileRefused) as refused:
        await load(shop, tmp_path, text.encode("latin-1"))
    assert why in str(refused.value)
    assert not await shop.database.fetch("SELECT id FROM members")


async def test_a_file_that_breaks_off(shop: Coalition, tmp_path: Path) -> None:
    """What stands before the damage of a compressed file is loaded, and stays loaded."""
    lines = "".join(f"c{number},1997-01-02,{number},5\n" for number in range(5_000))
    packed = gzip.compress((HEADER + lines).encode())
    with pytest.raises(FileRefused):
        await load(shop, tmp_path, packed[:-200])
    rows = await shop.database.fetch("SELECT count(*) AS n FROM transactions")
    assert 0 < rows[0]["n"] < 5_000
    whole, _ = await load(shop, tmp_path, packed)
    assert whole.loaded == 5_000 - rows[0]["n"]
    assert whole.already_there == rows[0]["n"]


async def test_written_as_spreadsheets_do(shop: Coalition, tmp_path: Path) -> None:
    """A byte order mark, CRLF, quotes, capitals, spaces and more columns do no harm."""
    text = '\ufeffDate, Customer ,Units,AMOUNT\r\n1997-01-02,"a",1,"5.00"\r\n\r\n'
    counts, complaints = await load(shop, tmp_path, text)
    assert (counts, complaints) == (Counts(loaded=1, points=5), {})


async def test_unknown_customers(shop: Coalition, tmp_path: Path) -> None:
    """Without enrolment a line that names nobody is bad, and nobody is enrolled."""
    text = HEADER + "a,1997-01-02,1,5\n"
    counts, complaints = await load(shop, tmp_path, text, enrol=False)
    assert counts == Counts(bad=1)
    assert complaints == {2: "There is no member a."}
    assert not await shop.database.fetch("SELECT id FROM members")


async def test_named_by_number(shop: Coalition, tmp_path: Path) -> None:
    """A customer is enrolled under the number that the file gives, and found by it afterwards."""
    text = "customer,number,date,amount\na,N-1,1997-01-02,5\n,N-1,1997-01-03,6\n"
    first, complaints = await load(shop, tmp_path, text)
    assert first == Counts(loaded=1, bad=1, points=5)
    assert complaints == {3: "There is no membership N-1."}
    text += "a,N-2,1997-01-04,7\nb,N-1,1997-01-04,8\n,N-9,1997-01-04,8\n"
    second, complaints = await load(shop, tmp_path, text)
    assert second == Counts(already_there=1, loaded=1, bad=3, points=6)
    assert complaints == {
        4: "Customer a has another number than N-2.",
        5: "Number N-1 at TUNE is taken.",
        6: "There is no membership N-9.",
    }
    assert await balance(shop, "a") == 11


async def test_a_closed_membership(shop: Coalition, tmp_path: Path) -> None:
    """Purchases of a customer whose membership is closed are refused, and the others loaded."""
    await load(shop, tmp_path, HEADER + "a,1997-01-02,1,5\n")
    caller = importer_of(shop, "TUNE")
    member = await find(shop, caller, MemberBy(external_id="a"))
    assert member is not None
    (membership,) = (await memberships_of(shop, caller, [member.id]))[member.id]
    await close_membership(shop, caller, membership.id)
    text = HEADER + "a,1997-01-02,1,5\na,1997-01-03,2,6\nb,1997-01-03,3,7\n"
    counts, complaints = await load(shop, tmp_path, text)
    assert counts == Counts(already_there=1, loaded=1, refused=1, points=7)
    assert complaints == {3: "The membership is closed."}


async def test_brands_do_not_share_customers(shop: Coalition, tmp_path: Path) -> None:
    """The same customer and reference at two brands are two members and two purchases."""
    await open_brand(shop, "DISC", "0.01")
    file = tmp_path / "purchases.csv"
    file.write_text(HEADER + "a,1997-01-02,1,5\n")
    for code in ("TUNE", "DISC"):
        with open_purchases(file) as opened:
            counts = await import_purchases(
                shop, code, opened, enrol=True, complain=lambda *_: None
            )
        assert counts == Counts(loaded=1, points=5)
    rows = await shop.database.fetch("SELECT count(*) AS n FROM members")
    assert rows[0]["n"] == 2
