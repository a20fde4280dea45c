"""Permutations of counters."""

from hypothesis import given
from hypothesis import strategies as st

from brands.naming.permutations import permuted


@given(st.integers(1, 700), st.binary(max_size=64))
def test_every_value_has_a_place_of_its_own(size: int, key: bytes) -> None:
    """The permutation of a range is one: nothing leaves the range, and no two values meet."""
    assert sorted(permuted(value, size, key) for value in range(size)) == list(range(size))


@given(st.integers(2, 10**30), st.data())
def test_large_ranges_are_permuted_too(size: int, data: st.DataObject) -> None:
    """In a range of any size, other values have other places within it."""
    a, b = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    places = [permuted(value, size, b"key") for value in (a, b)]
    assert all(0 <= place < size for place in places)
    assert (places[0] == places[1]) is (a == b)


def test_keys_and_sizes_make_permutations_of_their_own() -> None:
    """Another key, or another size, puts nearly every value elsewhere."""
    counts = range(1_000)
    here = [permuted(count, 10**9, b"one") for count in counts]
    assert sum(permuted(count, 10**9, b"two") == here[count] for count in counts) == 0
    assert sum(permuted(count, 10**9 + 1, b"one") == here[count] for count in counts) == 0


def test_a_permutation_is_for_ever() -> None:
    """What a key makes of a counter never changes: numbers that were given out stay distinct from
    those that come."""
    assert [permuted(count, 10**9, b"for ever") for count in (0, 1, 2, 999_999_999)] == FOR_EVER


FOR_EVER = [354144772, 984268272, 919306210, 807343417]
