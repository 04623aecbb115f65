"""Which texts the broker takes: nothing that hides, reorders or breaks what an approver reads."""

import pytest
from pydantic import TypeAdapter, ValidationError

from grant_broker.domain.texts import AccountId, Comment, Name, Reason, Text, Ticket, clean, fault_in, is_id


@pytest.mark.parametrize(
    "character",
    [
        *("\x00", "\n", "\r", "\t", "\x1b", "\x7f", "\x80", "\x85", "\x9f"),
        *("\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"),
        *("\u200e", "\u200f", "\u061c", "\u200b", "\u2060", "\ufeff", "\u2028", "\u2029"),
        *("\ufffd", "\ud800", "\udfff"),
    ],
)
def test_forbidden(character: str) -> None:
    """Control characters, bidirectional marks, lone surrogates and U+FFFD are refused by their code point."""
    for text in (character, f"before {character} after"):
        assert fault_in(text) == f"the character U+{ord(character):04X} is not allowed"
    with pytest.raises(ValueError, match="is not allowed"):
        clean(character)
    for kind in (Text, Reason, Comment, Ticket):
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(f"a{character}")


@pytest.mark.parametrize(
    "text",
    ["", "nightly load", "Überprüfung", "要求", "a\u200cb", "\U0001f469\u200d\U0001f52c", "a<b>&'\"\\"],
)
def test_allowed(text: str) -> None:
    """Every other text passes as it is, joiners of scripts and emoji among it."""
    assert fault_in(text) is None
    assert clean(text) == text


@pytest.mark.parametrize(
    ("kind", "shortest", "longest"), [(Reason, 1, 1000), (Comment, 0, 1000), (Ticket, 1, 100)]
)
def test_lengths(kind: object, shortest: int, longest: int) -> None:
    """Lengths count characters, not bytes."""
    adapter = TypeAdapter[str](kind)
    for length in (shortest, longest):
        assert len(adapter.validate_python("\U0001f511" * length)) == length
    for length in (shortest - 1, longest + 1):
        if length >= 0:
            with pytest.raises(ValidationError):
                adapter.validate_python("ü" * length)


@pytest.mark.parametrize("value", [1, 1.5, True, None, ["a"], {"a": "b"}, b"a"])
def test_texts_only(value: object) -> None:
    """Nothing is made a text that is none."""
    for kind in (Reason, Comment, Ticket, Name, AccountId):
        if value != b"a":  # JSON has no bytes
            with pytest.raises(ValidationError):
                TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(("name", "good"), [
    ("partner_data", True), ("a", True), ("0-_z" * 16, True), ("", False), ("a" * 65, False), ("A", False),
    ("a.b", False), ("a\n", False), ("ä", False), ("٣", False),
])  # fmt: skip
def test_name(name: str, *, good: bool) -> None:
    """A name is 1 to 64 of a-z, 0-9, _ and -."""
    if good:
        assert TypeAdapter(Name).validate_python(name) == name
    else:
        with pytest.raises(ValidationError):
            TypeAdapter(Name).validate_python(name)


@pytest.mark.parametrize(
    "account", ["44445555666", "4444555566667", "44445555666x", "٤٤٤٤٥٥٥٥٦٦٦٦", "444455556666\n"]
)
def test_no_account(account: str) -> None:
    """An account is exactly twelve ASCII digits."""
    assert TypeAdapter(AccountId).validate_python("444455556666")
    with pytest.raises(ValidationError):
        TypeAdapter(AccountId).validate_python(account)


@pytest.mark.parametrize("text", ["", "a" * 65, "a/b", "a b", "é", "a\n", "x#y"])
def test_no_id(text: str) -> None:
    """What no id can be is told before it becomes a key of the tables."""
    assert is_id("0123456789abcdef" * 2)
    assert not is_id(text)
