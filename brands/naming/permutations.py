"""Keyed permutations of counters: every count has its place, and nobody without the key knows it.

A balanced Feistel network over the next even number of bits, whose round function is keyed BLAKE2b;
what falls outside the range is permuted again until it does not ("cycle walking", as in NIST SP
800-38G and Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002). At most four steps on
average, since the bits hold less than four times the range.
"""

from hashlib import blake2b

_ROUNDS = 10
"""As many as FF1 of NIST SP 800-38G has."""


def permuted(value: int, size: int, key: bytes) -> int:
    """Where the permutation of `range(size)` with this key puts a value. Another size makes
    another permutation."""
    assert 0 <= value < size
    half = max(((size - 1).bit_length() + 1) // 2, 1)
    place = _once(value, size, half, key)
    while place >= size:
        place = _once(place, size, half, key)
    return place


def _once(value: int, size: int, half: int, key: bytes) -> int:
    mask = (1 << half) - 1
    left, right = value >> half, value & mask
    for number in range(_ROUNDS):
        told = f"{size} {number} {right}".encode()
        noise = int.from_bytes(blake2b(told, key=key, digest_size=32).digest())
        left, right = right, left ^ noise & mask
    return left << half | right
