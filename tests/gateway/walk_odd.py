"""Odd values: at the edge of what a type holds, or beyond it."""

from typing import Any

LONG_LIST = 101

TEXTS: tuple[str, ...] = (
    *("", " ", "\t\n", "\x00", "a\x00b", "\u202eabc", "👩‍👩‍👧‍👦", "שלום", "e\u0301" * 300),
    *("x" * 10_000, "é" * 2_000, "\u0130", "ﬀ", "\ufeffAERO", "AERO ", "aero", "%", "_", "\\"),
    *("'; DROP TABLE members;--", "' OR '1'='1", '" OR ""="', "1; SELECT pg_sleep(9)", "$1", "?"),
    *("../../etc/passwd", "file:///etc/passwd", "C:\\Windows", "{{7*7}}", "${jndi:ldap://x}"),
    *("<script>alert(1)</script>", "null", "None", "undefined", "NaN", "Infinity", "-Infinity"),
    *("1e5", "1_000", "0x10", "٣", "\uff11\uff12", "-0", "+1", "9" * 30, "1" * 200, ".5", "5."),
    *("UNKNOWN", "__typename", "constructor", "__proto__", "__class__", "Mars/Olympus", "UTC"),
    *("(", "[a-", "(a+)+$", "\\d{1,99999}", "^" + "a?" * 30, "{}", "%s%n", "\r\nx-header: 1"),
)
"""No lone surrogate: JSON with one is no JSON, and gets no further."""

TIMES: tuple[str, ...] = (
    *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "2026-01-31T24:00:00Z"),
    *("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:60Z", "2026-02-30T00:00:00Z"),
    *("2026-01-31T12:00:00", "2026-01-31", "2026-01-31T12:00:00+99:99"),
    *("2262-04-11T23:47:16.854775808Z", "-2026-01-31T12:00:00Z", "2026-01-31 12:00:00Z"),
)
"""Of most of these there is none."""

INSTANTS: tuple[str, ...] = (
    *("0001-01-01T00:00:00Z", "0001-01-01T23:59:59+14:00", "1900-01-01T00:00:00Z"),
    *("1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "2026-02-28T23:59:59-12:00"),
    *("2100-01-01t00:00:00.123456789z", "9999-12-31T12:00:00+12:00", "9999-12-31T23:59:59.9Z"),
)
"""Of these there is every one."""

DAYS: tuple[str, ...] = ("0001-01-01", "1904-02-29", "1969-12-31", "2100-01-01", "9999-12-31")

DECIMALS: tuple[str, ...] = (
    *("0", "-0", "-1", "1", "0.000001", "0.0000001", "1000", "1000.000001", "99.9999", "100"),
    *("9" * 30, "-" + "9" * 30, "0." + "9" * 30, "9" * 30 + "." + "9" * 30, "00.010"),
)

POINTS: tuple[int, ...] = (0, 1, -1, 2, 99, 10**6, 2**31, 2**53 - 1, -(2**53) + 1, 2**52 + 1)

INTS: tuple[int, ...] = (0, 1, -1, 100, 101, 2**31 - 1, -(2**31))

NUMBERS: tuple[int, ...] = (
    *(0, 1, -1, 2**31, -(2**31) - 1, 2**53, -(2**53), 2**63 - 1, 2**63, -(2**63) - 1),
    *(2**64, 10**40, 10**400),
)

ANYTHING: tuple[Any, ...] = (
    *(None, True, False, 0.5, 1.0, -0.0, 1e308, 2.0**60, [], {}, [None], [[]], {"": None}),
    *({"amount": "1"}, {"__typename": "Brand"}, [1, "a", None], {"id": {"id": {"id": 1}}}),
    *("\ud800", float("nan"), float("inf")),
)


def deep(levels: int) -> Any:
    """So many lists in each other."""
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value
