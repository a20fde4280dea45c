"""The file of loyalty numbers and bookings: its forms, and what is told of bad rows."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.files.bookings_csv import COLUMNS, BatchRefused
from gateway.files.bookings_file import Row, read_batch
from gateway.files.text_lines import MAX_LINE
from gateway.trade.loyalty_elements import BadElement, LoyaltyElement, Segment, Stay
from gateway.trade.name_lines import NameLines
from gateway.trade.ndc import write_ndc
from gateway.trade.opentravel import write_opentravel
from gateway.trade.remark_reading import read_remark
from tests.house.tree import ROOT

TODAY = date(2026, 11, 23)
ELEMENT = LoyaltyElement("12345678", "Smith", "John", carrier="BA")


def read(
    path: Path, content: bytes, note: Callable[[str], None] = lambda _: None, on: date = TODAY
) -> list[Row]:
    """The rows of a file with that content."""
    file = path / "bookings"
    file.write_bytes(content)
    return list(read_batch(file, on=on, note=note))


def told(rows: list[Row]) -> list[tuple[int, str]]:
    """The lines of bad rows, and what is wrong with them."""
    return [(row.line, str(row.content)) for row in rows if isinstance(row.content, BadElement)]


def test_csv(tmp_path: Path) -> None:
    """Columns stand in any order, what is not read of them is told, a row may have no flight, and
    a flight number its airline before it."""
    noted: list[str] = []
    rows = read(
        tmp_path,
        b"\xef\xbb\xbfNumber,carrier,surname,Given Name,colour,flight_carrier,operating_carrier,"
        b"flight,class,fare_basis,origin,destination,date,record_locator,program,status,"
        b"operating_flight,ticket\r\n"
        b"1234-5678,ba,Smith,John,red,cx,ba,0251,y,yflex,hkg,lhr,2027-02-21,ab12cd,EXEC,Gold,"
        b"BA 0030,160-2412345678\r\n"
        b"\r\n"
        b'9,, "O""Brien, Jr",,,,,,,,,,,,TUNE,,,\n',
        noted.append,
    )
    assert noted == ["columns that are not read: colour"]
    flight = Segment(
        carrier="CX",
        flight="251",
        operating_carrier="BA",
        operating_flight="30",
        booking_class="Y",
        fare_basis="YFLEX",
        origin="HKG",
        destination="LHR",
        departs=date(2027, 2, 21),
        ticket="1602412345678",
    )
    assert rows == [
        Row(
            2,
            LoyaltyElement(
                number="1234-5678",
                surname="Smith",
                given_name="John",
                carrier="BA",
                program="EXEC",
                status="Gold",
                record_locator="AB12CD",
                segments=(flight,),
            ),
        ),
        Row(4, LoyaltyElement("9", 'O"Brien, Jr', program="TUNE")),
    ]


def test_stays_of_csv(tmp_path: Path) -> None:
    """A row may have a stay, beside a flight or without one; it needs a place and both days."""
    rows = read(
        tmp_path,
        b"program,number,surname,flight_carrier,property,chain,check_in,check_out,rate_code\n"
        b"TUNE,1,Smith,CX,Lisbon  1,hh,2027-02-21,2027-02-23,flex\n"
        b"TUNE,1,Smith,,Lisbon 1,,2027-02-21,,\n"
        b"TUNE,1,Smith,,,,2027-02-21,2027-02-23,\n",
    )
    stay = Stay("Lisbon 1", date(2027, 2, 21), date(2027, 2, 23), "HH", "FLEX")
    segments = (Segment("CX"),)
    element = LoyaltyElement("1", "Smith", program="TUNE", segments=segments, stays=(stay,))
    assert rows[0].content == element
    assert told(rows) == [
        (3, "a stay has the days of check_in and check_out"),
        (4, "the stay has no property"),
    ]


def test_bad_rows_of_csv(tmp_path: Path) -> None:
    """What is wrong with a row is told with its line, and the rest is read."""
    rows = read(
        tmp_path,
        b"carrier,number,surname,flight_carrier,date\n"
        b"BA,,Smith,,\n"
        b"BA,1,,,\n"
        b",1,Smith,,\n"
        b"BA,1,Smith,CX,2027-02-30\n"
        b"BA,1,Smith,,2027-02-21\n"
        b"BA,1,Smith\n"
        b"BA,1,\xff,,\n"
        b"BA,1,a\xc2\x9b31mb,,\n"
        b'BA,1,"Smith,,\n'
        b"British Airways,1,Smith,,\n"
        b"BA,1," + b"x" * MAX_LINE + b",,\n"
        b"BA,1,Smith,CX,2027-02-21\n",
    )
    assert told(rows) == [
        (2, "there is no number"),
        (3, "there is no surname"),
        (4, "neither a carrier nor a program is named"),
        (5, '"2027-02-30" is not a date like 2026-12-31'),
        (6, "the flight has no airline"),
        (7, "the line has 3 values where the header has 5"),
        (8, "the line is not UTF-8 at byte 6"),
        (9, "the line has a control character"),
        (10, "the line is not CSV: unexpected end of data"),
        (11, '"BRITISH AIRWAYS" is no carrier'),
        (12, f"the line is longer than {MAX_LINE} bytes"),
    ]
    assert [row.line for row in rows if isinstance(row.content, LoyaltyElement)] == [13]


@pytest.mark.parametrize(
    "content",
    [
        b"carrier;number;surname;given_name\nBA;1;Smith, Dr;J\n",
        b"sep=;\r\ncarrier;number;surname;given_name\r\nBA;1;Smith, Dr;J\r\n",
        b"sep=|\ncarrier|number|surname|given_name\nBA|1|Smith, Dr|J\n",
        b"carrier|number|surname|given_name\nBA|1|Smith, Dr|J\n",
        b"carrier;number;surname;given_name\n;;;\nBA;1;Smith, Dr;J\n ;\n",
        b"carrier\tnumber\tsurname\tgiven_name\nBA\t1\tSmith, Dr\tJ\n",
        b'# of SKY\n\ncarrier, number, surname, Given name\nBA, 1, "Smith, Dr", J\n',
        "carrier\tnumber\tsurname\tgiven name\r\nBA\t1\tSmith, Dr\tJ\r\n".encode("utf-16"),
        b"\xfe\xff" + "carrier;number;surname;given_name\nBA;1;Smith, Dr;J".encode("utf-16-be"),
    ],
)
def test_csv_as_spreadsheets_write_it(tmp_path: Path, content: bytes) -> None:
    """Semicolons, tabs, bars, a line that names the separator, UTF-16, and spaces are read, and
    rows with nothing in them passed over."""
    (row,) = read(tmp_path, content)
    assert row.content == LoyaltyElement("1", "Smith, Dr", "J", carrier="BA")


@pytest.mark.parametrize(
    "header",
    ["Airline Code,FF Number,Last Name", "FF Number|Airline Code|Last Name", "AERO;AERO1;SMITH"],
)
def test_columns_that_are_called_otherwise(tmp_path: Path, header: str) -> None:
    """A first line in columns that are none of ours is a header, and it is told what that lacks."""
    with pytest.raises(BatchRefused) as refused:
        read(tmp_path, f"{header}\nBA,1,SMITH\n".encode())
    assert "lacks number, surname, program (or carrier); its columns are" in str(refused.value)


@pytest.mark.parametrize(
    "first", ["FFABA-12345678, AA, LH", "ABC123/WS LONOU, C123456, AG 99999992 01JAN"]
)
def test_a_remark_may_have_separators(tmp_path: Path, first: str) -> None:
    """What begins as a remark or as a booking is no header, whatever stands in it."""
    read(tmp_path, f"{first}\n".encode())


def test_what_the_airline_cancelled(tmp_path: Path) -> None:
    """A remark is not in force where the airline has cancelled it, or did not take it."""
    text = "".join(f"SSR FQTV BA {each}1 BA12345678-1SMITH/JOHN\n" for each in ("HK", "HX", "UN"))
    kept, *gone = read(tmp_path, text.encode())
    assert kept.against is None
    said = [f"cancelled or refused by the airline ({each})" for each in ("HX", "UN")]
    assert [row.against for row in gone] == said


def test_a_broken_line_of_utf_16(tmp_path: Path) -> None:
    """A line that is no UTF-16, or too long, is told, and the next one is read."""
    text = "carrier;number;surname\nBA;1;X\nBA;1;" + "x" * MAX_LINE + "\nBA;1;Smith\n"
    rows = read(tmp_path, text.encode("utf-16").replace(b"X\0", b"\x00\xd8"))
    assert told(rows) == [
        (2, "the line is not UTF-16"),
        (3, f"the line is longer than {MAX_LINE} characters"),
    ]
    assert rows[-1] == Row(4, LoyaltyElement("1", "Smith", carrier="BA"))


def test_remarks(tmp_path: Path) -> None:
    """A file that has no header is one remark a line."""
    rows = read(
        tmp_path,
        b"SSR FQTV CX HK1 HKGLHR 251 Y21FEB BA12345678/GOLD-1SMITH/JOHN MR\n"
        b"SSR FQTV BA HK1 BA12345678-1SMITH/JOHN\n"
        b"FFNBA-12345678\n"
        b"RM HELLO\n",
    )
    assert [row.line for row in rows] == [1, 2, 3, 4]
    assert told(rows) == [
        (3, "the remark does not name the passenger: write -1SMITH/JOHN, or her booking above"),
        (4, "expected SSR FQTV, or an entry like FFNBA-12345678 at character 1"),
    ]


def test_remarks_of_bookings(tmp_path: Path) -> None:
    """In a booking as a reservation system shows it the other lines are passed over, a remark is of
    whom it numbers, under the locator, and flights are from the day that was given on."""
    content = (
        b"RP/LONBA0100/LONBA0100   AA/SU   1JAN27/1200Z   ABC123\n"
        b"  1.GARCIA/MARIA MS   2.SMITH/JOHN MR\n"
        b"  3  BA 117 Y 21FEB 7 LHRJFK HK2\n"
        b"  4 SSR FQTV BA HK1 LHRJFK 0117 Y21FEB BA12345678/P2\n"
        b"  5 SSR FQTV BA HK1 BA\n"
        b"\n"
        b"1.DOE/A MISS\n"
        b"FFNBA-9\n"
    )
    first, bad, last = read(tmp_path, content, on=date(2028, 1, 1))
    flight = Segment(
        "BA", "117", booking_class="Y", origin="LHR", destination="JFK", departs=date(2028, 2, 21)
    )
    assert first.content == LoyaltyElement(
        "12345678", "SMITH", "JOHN MR", "BA", record_locator="ABC123", segments=(flight,)
    )
    assert [each.number for each in first.others] == ["BA12345678"]
    assert told([bad]) == [(5, "expected a carrier and a number at character 21")]
    assert last.content == LoyaltyElement("9", "DOE", "A MISS", carrier="BA")


@pytest.mark.parametrize("write", [write_ndc, write_opentravel])
def test_messages(tmp_path: Path, write: object) -> None:
    """XML is known by its beginning, and which of the two it is by what is in it."""
    assert callable(write)
    (row,) = read(tmp_path, write(ELEMENT))
    assert row.content == ELEMENT


@pytest.mark.parametrize(
    "content",
    [
        b"<a/>",
        b"<a",
        b"\xff\xfe<\0a\0/\0>\0",
        b"\xef\xbb\xbf <a/>",
        b"<!DOCTYPE a><a/>",
        b"number,carrier\n",
        b"number,surname\n",
        b"number,number,surname,carrier\n",
        b"number,carrier,surname,gr\xf6\xdfe\nBA,1,Smith,1\n",
        "number,carrier,surname\n".encode("utf-16-le"),
        b"sep=;\nnumber,carrier,surname\n",
        b'{"number": 1}',
        b" [1]",
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    """XML without a loyalty account, a header that lacks a column, one that cannot be read, and
    JSON refuse the whole file."""
    with pytest.raises(BatchRefused):
        read(tmp_path, content)


def test_what_the_document_shows_can_be_read(tmp_path: Path) -> None:
    """Every column is told in the document, and its examples of CSV and of remarks are read."""
    text = (ROOT / "docs" / "agency-files.md").read_text(encoding="utf-8")
    csv_form, remarks = text.split("## CSV")[1].split("## Remarks")
    told_of = re.findall("`([a-z_]+)`", " ".join(re.findall(r"^\| (`.*?) \|", csv_form, re.M)))
    assert sorted(told_of) == sorted(COLUMNS)
    rows = read(tmp_path, csv_form.split("```csv\n")[1].split("```")[0].encode())
    assert [row.line for row in rows if isinstance(row.content, LoyaltyElement)] == [2, 3]
    forms = re.findall(r"^\| `(.+?)`", remarks.split("`FQTV` is for accrual")[0], re.M)
    assert len([read_remark(form) for form in forms]) == 8
    (row,) = read(tmp_path, remarks.split("```text\n")[1].split("```")[0].encode())
    assert isinstance(row.content, LoyaltyElement)
    told_of_it = row.content.record_locator, row.content.surname, len(row.content.segments)
    assert told_of_it == ("ABC123", "SMITH", 1)
    for system in re.findall(
        r"^\| (?:Amadeus|Galileo|Sabre) \| `(.+)` \| `(.+)` \|$", remarks, re.M
    ):
        heads = NameLines()
        assert all(heads.take(line) for line in system)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    """Nothing is read from nothing."""
    assert read(tmp_path, b"") == read(tmp_path, b"\n \n") == read(tmp_path, b"# nothing\n") == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), header=st.booleans())
def test_any_file_can_be_read(tmp_path: Path, content: bytes, header: bool) -> None:
    """Whatever is in a file, each row is an element or told as bad, or the file is refused."""
    try:
        rows = read(tmp_path, (",".join(COLUMNS).encode() + b"\n" if header else b"") + content)
    except BatchRefused:
        return
    lines = [row.line for row in rows]
    assert lines == sorted(lines)
    assert all(isinstance(row.content, LoyaltyElement | BadElement) for row in rows)
