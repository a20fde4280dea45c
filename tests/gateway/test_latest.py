"""What is remembered for a while is bounded."""

from gateway.graphql.latest import Latest


def test_the_longest_unused_goes_first() -> None:
    """Beyond the bound, what was used last stays, and what was not goes."""
    latest: Latest[str, int] = Latest(3)
    for name in "abc":
        latest.put(name, 1)
    assert latest.get("a") == 1
    latest.put("d", 1)
    assert [name for name in "abcd" if name in latest] == ["a", "c", "d"]
    assert latest.get("b") is None


def test_what_weighs_more_counts_more() -> None:
    """All that is held never weighs more than the bound; what is replaced or dropped is off it."""
    latest: Latest[str, int] = Latest(10)
    latest.put("a", 1, 4)
    latest.put("a", 2, 5)
    latest.put("b", 1, 5)
    assert (latest.get("a"), latest.weight) == (2, 10)
    latest.put("c", 1, 3)
    assert "b" not in latest
    assert latest.weight == 8
    latest.drop("a")
    latest.drop("nothing")
    assert latest.weight == 3
    latest.put("d", 1, 11)
    assert (len(latest), latest.weight) == (0, 0)
