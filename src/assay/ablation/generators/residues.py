"""Quadratic residues of finite fields of a prime or the square of one: what Paley's matrices are made of."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import isqrt

Element = tuple[int, int]
"""a + b·√n in a field of p² elements, n being no square modulo p; (a, 0) in one of p."""


def is_prime(number: int) -> bool:
    """Whether it has exactly two divisors."""
    return number > 1 and all(number % divisor for divisor in range(2, isqrt(number) + 1))


def is_field(size: int) -> bool:
    """Whether `jacobsthal` knows a field of this many elements: an odd prime, or the square of one."""
    return size % 2 == 1 and (is_prime(size) or (isqrt(size) ** 2 == size and is_prime(isqrt(size))))


@lru_cache(maxsize=16)
def jacobsthal(size: int) -> tuple[tuple[int, ...], ...]:
    """The matrix of quadratic characters of all differences: 0 on the diagonal, 1 for a square, -1 for none.

    Args:
        size: of the field; `is_field(size)` holds.

    Source: Paley 1933.

    >>> jacobsthal(3)
    ((0, -1, 1), (1, 0, -1), (-1, 1, 0))
    """
    prime = size if is_prime(size) else isqrt(size)
    root = next(n for n in range(2, prime + 1) if n == prime or pow(n, (prime - 1) // 2, prime) == prime - 1)
    elements: list[Element] = [(a, b) for b, a in product(range(size // prime), range(prime))]
    squares = {_times(each, each, prime, root) for each in elements} - {(0, 0)}

    def character(one: Element, other: Element) -> int:
        difference = ((one[0] - other[0]) % prime, (one[1] - other[1]) % prime)
        return 0 if difference == (0, 0) else 1 if difference in squares else -1

    return tuple(tuple(character(one, other) for other in elements) for one in elements)


def _times(one: Element, other: Element, prime: int, root: int) -> Element:
    (a, b), (c, d) = one, other
    return (a * c + root * b * d) % prime, (a * d + b * c) % prime
