"""CloudFormation's functions, as far as the template uses them."""

from pathlib import Path
from typing import Any

import pytest

from tests.local_stack.intrinsics import NO_VALUE, Resolver, load

VALUES = {
    ("Table", None): "the-table",
    ("Table", "Arn"): "arn:table",
    ("Empty", None): "",
    ("Many", None): ["a", "b"],
}


def _resolver() -> Resolver:
    def reference(name: str, attribute: str | None) -> Any:
        return NO_VALUE if name == "AWS::NoValue" else VALUES[name, attribute]

    conditions = {
        "Filled": {"Fn::Not": [{"Condition": "IsEmpty"}]},
        "IsEmpty": {"Fn::Equals": [{"Ref": "Empty"}, ""]},
    }
    return Resolver(reference, conditions, {"Sizes": {"small": {"memory": 128}}})


@pytest.mark.parametrize(
    ("given", "resolved"),
    [
        ({"Ref": "Table"}, "the-table"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "arn:table"),
        ({"Fn::Sub": "${Table.Arn}/index/${Table}-${!literal}"}, "arn:table/index/the-table-${literal}"),
        ({"Fn::Sub": ["${x}/${Table}", {"x": {"Ref": "Table"}}]}, "the-table/the-table"),
        ({"Fn::Join": [",", {"Ref": "Many"}]}, "a,b"),
        ({"Fn::Select": [1, {"Fn::Split": ["/", "x/y/z"]}]}, "y"),
        ({"Fn::FindInMap": ["Sizes", "small", "memory"]}, 128),
        ({"Fn::If": ["IsEmpty", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Filled", "yes", "no"]}, "no"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}, {"b": [1]}),
        ({"Fn::Equals": [1, "1"]}, True),
        ({"Fn::And": [True, {"Fn::Or": [False, True]}]}, True),
        ({"Ref": ["not", "a", "name"]}, {"Ref": ["not", "a", "name"]}),
    ],
)
def test_functions(given: Any, resolved: Any) -> None:
    """Each function gives what CloudFormation would put there."""
    assert _resolver()(given) == resolved


def test_unknown_function() -> None:
    """A function that is not known is an error, never passed on."""
    with pytest.raises(KeyError):
        _resolver()({"Fn::Base64": "x"})


def test_short_forms(tmp_path: Path) -> None:
    """The short forms are the long ones, and a policy's version is a text."""
    path = tmp_path / "template.yaml"
    path.write_text(
        'a: !Ref T\nb: !GetAtt T.Arn.x\nc: !Sub ["${x}", {x: !If [c, 1, 2]}]\nd: 2012-10-17\n', "utf-8"
    )
    assert load(path) == {
        "a": {"Ref": "T"},
        "b": {"Fn::GetAtt": ["T", "Arn.x"]},
        "c": {"Fn::Sub": ["${x}", {"x": {"Fn::If": ["c", 1, 2]}}]},
        "d": "2012-10-17",
    }
