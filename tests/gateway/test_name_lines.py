"""The heads of bookings: who travels, under which record locator, and whose a remark is."""

import pytest

from gateway.trade.loyalty_elements import BadElement
from gateway.trade.name_lines import NameLines
from gateway.trade.remark_reading import read_remark

AMADEUS = """\
--- RLR ---
RP/LONBA0100/LONBA0100   AA/SU   1JAN27/1200Z   ABC123
  1.GARCIA/MARIA MS   2.SMITH/JOHN MR(INFSMITH/BABY)
  3.O'BRIEN/ANNE-MARIE(CHD/12JAN19)
"""
SABRE = """\
ABC123
 1.2SMITH/JOHN MR/JANE MRS  2.1DOE/A MISS*C05
"""
GALILEO = """\
ABC123/WS LONOU C123456 AG 99999992 01JAN
 1.1GARCIA/MARIA MS  2.1SMITH/JOHN MR
"""
ALONE = "1.GARCIA/MARIA MS\n"


def whose(head: str, remark: str) -> str:
    """Whose a remark behind a head is, and under which locator."""
    lines = NameLines()
    assert all(lines.take(line) for line in head.splitlines())
    assert lines.names is not None
    return f"{lines.names.record_locator} {lines.names.passenger_of(read_remark(remark))}"


@pytest.mark.parametrize(
    ("head", "remark", "told"),
    [
        (AMADEUS, "SSR FQTV BA HK1 BA1/P1", "ABC123 GARCIA/MARIA MS"),
        (AMADEUS, "FFNBA-1/P2", "ABC123 SMITH/JOHN MR"),
        (AMADEUS, "FFNBA-1/P3", "ABC123 O'BRIEN/ANNE-MARIE"),
        (AMADEUS, "SSR FQTV BA HK1 BA1-1DOE/A/P1", "ABC123 DOE/A"),
        (SABRE, "FFBA1-1.1", "ABC123 SMITH/JOHN MR"),
        (SABRE, "FFBA1-1.2", "ABC123 SMITH/JANE MRS"),
        (SABRE, "FFBA1-2.1", "ABC123 DOE/A MISS"),
        (GALILEO, "M.P2/BA1", "ABC123 SMITH/JOHN MR"),
        (SABRE, "M.P3/BA1", "ABC123 DOE/A MISS"),
        ("1P-ABC123\n" + ALONE, "FQTV BA/1", "ABC123 GARCIA/MARIA MS"),
        (ALONE, "FFBA1", "None GARCIA/MARIA MS"),
    ],
)
def test_a_remark_is_of_whom_it_numbers(head: str, remark: str, told: str) -> None:
    """A number is a passenger's, as each system counts; without one, she who travels alone's."""
    assert whose(head, remark) == told


@pytest.mark.parametrize(
    ("head", "remark"),
    [
        (AMADEUS, "FFNBA-1"),
        (AMADEUS, "FFNBA-1/P4"),
        (AMADEUS, "FFNBA-1/P1,2"),
        (SABRE, "FFBA1-2.2"),
        ("ABC123", "FFNBA-1/P1"),
    ],
)
def test_whose_it_is_is_not_guessed(head: str, remark: str) -> None:
    """Where several travel, or nobody has that number, the passenger is not told."""
    with pytest.raises(BadElement):
        whose(head, remark)


def test_another_head_is_another_booking() -> None:
    """Names behind something else than names are those of the next booking, under its locator."""
    lines = NameLines()
    for line in ("ABC123", "1.GARCIA/MARIA MS", "2.SMITH/JOHN MR"):
        assert lines.take(line)
    assert not lines.take("  3  BA 117 Y 21FEB 7 LHRJFK HK2")
    assert lines.names is not None
    assert (lines.names.record_locator, len(lines.names.passengers)) == ("ABC123", 2)
    assert lines.take("1.DOE/A MISS")
    assert (lines.names.record_locator, list(lines.names.passengers)) == (None, [(1, 1)])


@pytest.mark.parametrize(
    "line", ["1.2SMITH/JOHN", "1.SMITH", "1.SMITH/JOHN 2.", "RM HELLO", "1 BA 117 Y 21FEB", "A/B"]
)
def test_other_lines_are_no_head(line: str) -> None:
    """A line that is not names from end to end, and no locator, is another line."""
    assert not NameLines().take(line)
