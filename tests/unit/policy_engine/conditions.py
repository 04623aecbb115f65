"""Asking one condition about one value."""

from typing import Any

from grant_broker.policy_engine.conditions import condition, normalise, text_of

ABSENT = object()
NOT_KNOWN = None
STRINGS = "kms:ViaService"
MANY = "kms:GrantOperations"


def holds(operator: str, wanted: Any, actual: Any, *, key: str = STRINGS, **context: str) -> bool | None:
    """Whether a condition holds for a call that has this value, or none."""
    texts = [text_of(each) for each in (wanted if isinstance(wanted, list) else [wanted])]
    values = {**context} if actual is ABSENT else {key: actual, **context}
    return condition(operator, key, texts, variables=True).holds(normalise(values))
