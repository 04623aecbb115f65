"""Plain values as DynamoDB's typed JSON: the same as boto3's serializer makes of them."""

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from grant_broker.aws.attributes import plain, serialized

_WHOLE = st.integers(-(10**37), 10**37)
VALUES = st.recursive(
    st.none() | st.booleans() | st.text() | _WHOLE,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_as_boto3_does(value: object) -> None:
    """What is written is what boto3 would write, and is read back as it was."""
    written = serialized({"a": value})
    assert written == ({} if value is None else {"a": TypeSerializer().serialize(value)})
    assert plain(written) == ({} if value is None else {"a": value})


def test_tuples_are_lists() -> None:
    """A tuple is stored as a list."""
    assert serialized({"a": ("b",)}) == {"a": {"L": [{"S": "b"}]}}


@pytest.mark.parametrize("value", [1.5, b"bytes", {"a"}, object()], ids=["float", "bytes", "set", "object"])
def test_refused(value: object) -> None:
    """What the broker never stores is a mistake of its own: nothing is written."""
    with pytest.raises(TypeError, match="DynamoDB takes no"):
        serialized({"a": value})


def test_what_others_wrote_is_read() -> None:
    """Sets, fractions and bytes are no error of the page that holds them; bytes are no text."""
    item = {
        "strings": {"SS": ["a"]}, "numbers": {"NS": ["1", "2.5"]}, "fraction": {"N": "7.9"},
        "bytes": {"B": b"a"}, "many": {"BS": [b"a"]},
    }  # fmt: skip
    found = plain(item)
    assert (found["strings"], found["numbers"], found["fraction"]) == ({"a"}, {1, 2}, 7)
    assert (bytes(found["bytes"]), {bytes(each) for each in found["many"]}) == (b"a", {b"a"})
    assert not isinstance(found["bytes"], str | bytes | bytearray)


def test_no_such_type() -> None:
    """A type that DynamoDB does not have is an error."""
    with pytest.raises(KeyError, match="X"):
        plain({"a": {"X": "1"}})
