"""How a call's encryption context differs from a grant's, pair by pair."""

import json
from collections.abc import Iterator, Mapping

from grant_broker.domain.scope import ContextMatch, Scope
from grant_broker.policy_engine.constraints import KeyCase, met

# The AWS Encryption SDK adds it where its algorithm suite signs, which its default does.
SIGNATURE = "aws-crypto-public-key"
_MOST = 4


def fits(scope: Scope, context: Mapping[str, str], case: KeyCase) -> bool:
    """Whether a call with this context meets the grant's constraint, in a reading of the keys' case."""
    return met(scope.constraints, context, case)


def differences(scope: Scope, context: Mapping[str, str]) -> str:
    """What is different, in words: values compared exactly, and keys that only their case tells apart."""
    found = list(_differences(scope, context))
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return ", ".join(found[:_MOST]) + more


def shown(text: str) -> str:
    """A key or value in quotes, unmistakable."""
    return json.dumps(text, ensure_ascii=False)


def _differences(scope: Scope, context: Mapping[str, str]) -> Iterator[str]:
    left = dict(context)
    for key, value in scope.encryption_context.items():
        sent = key if key in left else next((each for each in left if each.lower() == key.lower()), None)
        if sent is None:
            yield f"{shown(key)} is missing"
            continue
        other = left.pop(sent)
        if sent != key:
            yield f"the key is {shown(key)} and not {shown(sent)}: case counts"
        if other != value:
            case = ": case counts" if other.lower() == value.lower() else ""
            yield f"{shown(key)} is {shown(value)} and not {shown(other)}{case}"
    if scope.context_match == ContextMatch.EQUALS:
        yield from (f"{shown(key)} is too much" for key in left)
