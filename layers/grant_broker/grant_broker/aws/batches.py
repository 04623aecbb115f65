"""What AWS takes in one call: at most so many entries, at most so many bytes."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def batches(items: Iterable[T], size_of: Callable[[T], int], *, most: int, largest: int) -> Iterator[list[T]]:
    """Split items, in order, into batches of at most `most` items and `largest` bytes together.

    An item that alone is larger than `largest` is a batch of its own.
    """
    batch, filled = list[T](), 0
    for item in items:
        size = size_of(item)
        if batch and (len(batch) == most or filled + size > largest):
            yield batch
            batch, filled = [], 0
        batch.append(item)
        filled += size
    if batch:
        yield batch
