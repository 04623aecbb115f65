"""Policies as AWS stores them, read once into statements that can be asked."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from grant_broker.policy_engine.conditions import Condition, condition, text_of
from grant_broker.policy_engine.principals import principals
from grant_broker.policy_engine.statements import Resources, Statement
from grant_broker.policy_engine.templates import any_glob, parse

_ELEMENTS = frozenset(
    [
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ]
)
_TOP = frozenset({"Version", "Id", "Statement"})
_VERSIONS = ("2008-10-17", "2012-10-17")
_ARN_COLONS = 5


class Policy(NamedTuple):
    """A policy, read."""

    statements: tuple[Statement, ...]


def parse_policy(document: str | Mapping[str, Any]) -> Policy:
    """Read a policy; the same document is read once.

    Raises ValueError where no service would have stored it. What only some kinds of policies need, such as
    a Principal, an Action or a Resource, is for the reader of that kind to ask of each statement.
    """
    return _parse(document if isinstance(document, str) else json.dumps(document))


@lru_cache(maxsize=1024)
def _parse(text: str) -> Policy:
    try:
        document = json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("the policy is nested too deeply") from None
    if not isinstance(document, dict) or "Statement" not in document:
        raise ValueError("a policy is an object with a Statement")
    if unknown := sorted(set(document) - _TOP):
        raise ValueError(f"a policy has no element {', '.join(unknown)}")
    if document.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise ValueError(f"a policy's Version is {' or '.join(_VERSIONS)}")
    # IAM replaces variables from this version on; without a Version the older language holds.
    variables = document.get("Version") == "2012-10-17"
    statements = _listed(document["Statement"])
    return Policy(
        tuple(
            _statement(each, position, variables=variables)
            for position, each in enumerate(statements, start=1)
        )
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a policy names an element twice")
    return dict(pairs)


def _statement(raw: object, position: int, *, variables: bool) -> Statement:
    if not isinstance(raw, dict) or not _ELEMENTS.issuperset(raw):
        raise ValueError(f"statement {position} is not an object of IAM's elements")
    if raw.get("Effect") not in ("Allow", "Deny"):
        raise ValueError(f"statement {position} needs the Effect Allow or Deny")
    if not isinstance(raw.get("Sid", ""), str):
        raise ValueError(f"statement {position} has a Sid that is no string")  # noqa: TRY004 - as all faults
    action, actions_negated = _either(raw, "Action", position)
    principal, principals_negated = _either(raw, "Principal", position)
    resource, resources_negated = _either(raw, "Resource", position)
    return Statement(
        position=position,
        sid=raw.get("Sid"),
        allow=raw["Effect"] == "Allow",
        actions=None
        if action is None
        else any_glob(parse(name.lower(), variables=False).render({}) for name in _texts(action)),
        actions_negated=actions_negated,
        principals=None if principal is None else principals(principal, negated=principals_negated),
        resources=None
        if resource is None
        else _resources(_texts(resource), negated=resources_negated, variables=variables),
        conditions=tuple(_conditions(raw.get("Condition", {}), variables=variables)),
    )


def _either(raw: dict[str, Any], element: str, position: int) -> tuple[Any, bool]:
    """The element or its Not form, and whether it is that; None where the statement has neither."""
    negated = f"Not{element}"
    if element in raw and negated in raw:
        raise ValueError(f"statement {position} has both {element} and {negated}")
    return raw.get(element, raw.get(negated)), negated in raw


def _resources(texts: list[str], *, negated: bool, variables: bool) -> Resources:
    templates = [parse(_completed(text), variables=variables) for text in texts]
    constant = any_glob(each.render({}) for each in templates if each.constant)
    return Resources(constant, tuple(each for each in templates if not each.constant), negated)


def _completed(text: str) -> str:
    """IAM completes an ARN of fewer than six fields with wildcards."""
    return text if text.endswith("*") or text.count(":") >= _ARN_COLONS else f"{text}:*"


def _conditions(block: object, *, variables: bool) -> Iterator[Condition]:
    if not isinstance(block, dict) or not all(isinstance(keys, dict) for keys in block.values()):
        raise ValueError("Condition must be an object of operators, each an object of keys")
    for operator, keys in block.items():
        for key, values in keys.items():
            texts = [text_of(value) for value in _listed(values)]
            yield condition(operator, key, texts, variables=variables)


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else [value]


def _texts(value: object) -> list[str]:
    texts = _listed(value)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError("Action and Resource must be a string or a list of strings")
    return texts
