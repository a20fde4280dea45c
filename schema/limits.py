"""What limits count, as the contract names it: for the rules that set them, for allowances, and for
the error that tells of one that is reached."""

from brands.rules import Direction, Period
from schema.enums import described

LimitPeriod = described(
    Period,
    "What a limit counts over, in the time zone of the brand whose points it counts.",
    {Period.MONTH: "A calendar month.", Period.YEAR: "A calendar year."},
    name="LimitPeriod",
)
LimitDirection = described(
    Direction,
    "Which side of a transfer a limit counts.",
    {
        Direction.OUT: "What leaves a membership, in the points of the brand it leaves.",
        Direction.IN: "What arrives at a membership, in the points of the brand it arrives at.",
    },
    name="LimitDirection",
)
