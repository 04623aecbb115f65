"""What goes into one call of AWS."""

from itertools import zip_longest

from hypothesis import given
from hypothesis import strategies as st

from grant_broker.aws.batches import batches


@given(st.lists(st.integers(0, 120)), st.integers(1, 5))
def test_batches(sizes: list[int], most: int) -> None:
    """Nothing is lost or moved, no batch breaks a limit, and none could have taken the next item too."""
    made = list(batches(sizes, lambda size: size, most=most, largest=100))
    assert [size for batch in made for size in batch] == sizes
    for batch, following in zip_longest(made, made[1:], fillvalue=list[int]()):
        assert 1 <= len(batch) <= most
        assert sum(batch) <= 100 or len(batch) == 1
        assert not following or len(batch) == most or sum(batch) + following[0] > 100
