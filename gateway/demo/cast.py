"""Who takes part in the demo coalition. All is made up but the purchases at the music shop."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from brands.agencies import NewAgency
from brands.members import Profile
from brands.naming.check_digits import CheckScheme
from brands.naming.numbers import NumberFormat
from brands.publishing import NewBrand
from brands.valuations import rates_of

NAME = "Demo coalition"

PURCHASES = Path(__file__).parent / "data" / "cdnow.csv.gz"
"""Real purchases at a music shop; see the README beside the file."""

AGENCY = NewAgency("SKYTRIP", "Sky Trip Travel")

SHOP = "TUNE"
"""The brand whose purchases they are."""


@dataclass(frozen=True, slots=True)
class Person:
    """A demo member: her points by brand code, and what she has them for."""

    external_id: str
    profile: Profile
    points: dict[str, tuple[int, str]]


def _brand(code: str, name: str, points_name: str, time_zone: str, *rates: str) -> NewBrand:
    """A brand, and its rates in the order: value, issue price, transfer out, transfer in."""
    return NewBrand(
        code=code,
        name=name,
        points_name=points_name,
        time_zone=time_zone,
        rates=rates_of(*map(Decimal, rates)),
        number_format=NumberFormat(check=CheckScheme.LUHN),
    )


# 1,000 of AERO become 640 of STAY (0.008 into 0.0125); 1,000 of FARM become 737 of BREW (0.0045
# into 0.0061).
BRANDS = (
    _brand(
        *("AERO", "Aero Meridian", "Miles", "Europe/Lisbon"),
        *("0.01", "0.0115", "0.008", "0.0105"),
    ),
    _brand(
        *("STAY", "Stay Lantern Hotels", "Nights", "Europe/Paris"),
        *("0.012", "0.013", "0.0105", "0.0125"),
    ),
    _brand(
        *("FARM", "Farm & Field Grocers", "Leaves", "America/Chicago"),
        *("0.005", "0.0052", "0.0045", "0.005"),
    ),
    _brand(
        *("BREW", "Brew Harbour Coffee", "Beans", "America/Los_Angeles"),
        *("0.006", "0.0063", "0.0055", "0.0061"),
    ),
    _brand(
        *(SHOP, "Tune Street Records", "Grooves", "America/New_York"),
        *("0.02", "0.021", "0.018", "0.022"),
    ),
)

PEOPLE = (
    Person(
        "ada",
        Profile("Ada", "Moreno", "ada@example.com"),
        {
            "AERO": (25_000, "Flight to the annual meeting"),
            "STAY": (1_200, "Two nights by the harbour"),
            "FARM": (8_000, "A year of groceries"),
            "BREW": (350, "Coffee for the whole team"),
            SHOP: (120, "A box of records"),
        },
    ),
    Person(
        "ben",
        Profile("Ben", "Okafor", "ben@example.com"),
        {"FARM": (12_500, "A wedding breakfast"), "BREW": (90, "Coffee on the way")},
    ),
    Person(
        "chiyo",
        Profile("Chiyo", "Tanabe", "chiyo@example.com"),
        {"AERO": (3_400, "Flight home"), "STAY": (41_000, "A long stay"), SHOP: (75, "Records")},
    ),
)

GIFT_BRAND, GIFT_NUMBER = "AERO", "AERO7700000008"
"""Where the second of these people can be given points by the others, and his number there."""

CONVERSIONS = (("milesToNights", "AERO", "STAY"), ("leavesToBeans", "FARM", "BREW"))
"""What the query to paste converts for the first of these people: its name, from, to."""
