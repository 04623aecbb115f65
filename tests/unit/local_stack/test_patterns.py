"""Event patterns, with those of the template's streams."""

from typing import Any

import pytest

from tests.local_stack.patterns import matches
from tests.local_stack.people import HOME, TRUSTED
from tests.local_stack.template import Template
from tests.local_stack.triggers import streams

GIVEN = {"TrustedAccounts": list(TRUSTED), "ApproverRoleIds": [], "IdentityCenterRoleIds": []}
TEMPLATE = Template.read(GIVEN, account=HOME, region="eu-central-1", stack="test")


def _wants(function: str, record: dict[str, Any]) -> bool:
    (stream,) = [found for found in streams(TEMPLATE) if found.function == function]
    return any(matches(pattern, record) for pattern in stream.patterns)


def _change(new: str | None, old: str | None, sk: str = "request") -> dict[str, Any]:
    images = {"NewImage": new, "OldImage": old}
    shown = {
        name: {"sk": {"S": sk}, "status": {"S": status}}
        for name, status in images.items()
        if status is not None
    }
    return {"eventName": "MODIFY" if old else "INSERT", "dynamodb": shown}


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        (_change("ending", "active"), True),
        (_change("ending", "issuing"), True),
        (_change("ending", "ending"), False),
        (_change("active", "issuing"), False),
        (_change("ending", None), True),
        (_change(None, "ending"), False),
        (_change("ending", "active", sk="event#1"), False),
        ({"eventName": "MODIFY", "dynamodb": {}}, False),
    ],
)
def test_expiry(record: dict[str, Any], wanted: bool) -> None:  # noqa: FBT001 - a parameter of the cases
    """The fast path takes the transition to ending, not what is written while it lasts."""
    assert _wants("expiry", record) is wanted


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [
        ("INSERT", "event", True),
        ("MODIFY", "event", False),
        ("INSERT", "request", False),
        ("REMOVE", "event", False),
    ],
)
def test_events(name: str, kind: str, wanted: bool) -> None:  # noqa: FBT001 - a parameter of the cases
    """Every new event is told, and nothing else."""
    assert _wants("events", {"eventName": name, "dynamodb": {"NewImage": {"kind": {"S": kind}}}}) is wanted


@pytest.mark.parametrize(
    ("pattern", "event", "matched"),
    [
        ({"a": ["x", "y"]}, {"a": "y"}, True),
        ({"a": ["x"]}, {"a": ["z", "x"]}, True),
        ({"a": ["x"]}, {}, False),
        ({"a": ["x"], "b": [1]}, {"a": "x", "b": 2}, False),
        ({"a": [1]}, {"a": True}, False),
        ({"a": {"b": ["x"]}}, {"a": "x"}, False),
        ({"a": [{"anything-but": "x"}]}, {"a": "y"}, True),
        ({"a": [{"anything-but": ["x"]}]}, {}, False),
        ({"a": [{"anything-but": [{"prefix": "x"}]}]}, {"a": "xy"}, False),
        ({"a": [{"exists": False}]}, {}, True),
        ({"a": [{"exists": True}]}, {"a": None}, True),
        ({"a": [{"prefix": "x"}]}, {"a": "xy"}, True),
        ({"a": [{"suffix": "y"}]}, {"a": "xy"}, True),
        ({"a": [{"suffix": "x"}]}, {"a": "xy"}, False),
        ({"a": [{"equals-ignore-case": "xY"}]}, {"a": "Xy"}, True),
        ({"a": [{"equals-ignore-case": "x"}]}, {"a": "xy"}, False),
        ({"a": [{"exists": False}, {"anything-but": ["x"]}]}, {}, True),
        ({"a": [{"exists": False}, {"anything-but": ["x"]}]}, {"a": "x"}, False),
        ({"a": {"b": {"c": [{"exists": False}]}}}, {"a": {}}, True),
        ({"$or": [{"a": ["x"]}, {"b": ["x"]}]}, {"b": "x"}, True),
        ({"$or": [{"a": ["x"]}, {"b": ["x"]}], "c": ["x"]}, {"b": "x"}, False),
    ],
)
def test_operators(pattern: dict[str, Any], event: dict[str, Any], matched: bool) -> None:  # noqa: FBT001
    """Names are all needed, values are alternatives, and a missing field is not anything."""
    assert matches(pattern, event) is matched


@pytest.mark.parametrize("rule", [{"cidr": "10.0.0.0/8"}, {"exists": True, "prefix": "x"}])
def test_unknown_operator(rule: dict[str, Any]) -> None:
    """An operator that is not known here is an error, never a silent match."""
    with pytest.raises(ValueError, match="operator"):
        matches({"a": [rule]}, {"a": "x"})
