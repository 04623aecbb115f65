"""Things in their order of creation, listed from any place on at the same cost."""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_SLACK = 64


class Listing(Generic[_Item]):
    """Items by rising place."""

    def __init__(self) -> None:
        self._places: list[int] = []
        self._items: dict[int, _Item] = {}

    @classmethod
    def of(cls, place: int, item: _Item) -> "Listing[_Item]":
        """A listing of one."""
        made = cls()
        made.add(place, item)
        return made

    def __contains__(self, place: object) -> bool:
        return place in self._items

    def __len__(self) -> int:
        return len(self._items)

    def add(self, place: int, item: _Item) -> None:
        """Append an item; its place is higher than all before."""
        self._places.append(place)
        self._items[place] = item

    def remove(self, place: int) -> None:
        """Take an item out."""
        del self._items[place]
        # Gaps are closed once they are the larger part, which costs each removal the same on average.
        if len(self._places) > 2 * len(self._items) + _SLACK:
            self._places = list(self._items)

    def after(self, place: int) -> Iterator[tuple[int, _Item]]:
        """Places and items beyond this place."""
        for index in range(bisect_right(self._places, place), len(self._places)):
            found = self._places[index]
            if found in self._items:
                yield found, self._items[found]
