"""What others wrote, as a mail quotes it: marked, cut and harmless."""

import json
from itertools import islice

LONGEST_TEXT = 300
"""Characters of one text that others wrote; what is longer is cut."""
_MOST_PARTS, _DEEPEST = 20, 3  # parts of a list or object that are shown, and how deep they may lie


def quoted(value: object) -> str:
    """Any value as one line of ASCII JSON: each text in quotation marks, cut, its links made harmless."""
    return json.dumps(_harmless(value), sort_keys=True, ensure_ascii=True).replace("\x7f", "\\u007f")


def _harmless(value: object, depth: int = 0) -> object:
    if isinstance(value, int | float | None):
        return value
    if isinstance(value, dict) and depth < _DEEPEST:
        shown = {_text(name): _harmless(part, depth + 1) for name, part in islice(value.items(), _MOST_PARTS)}
        return shown if len(value) <= _MOST_PARTS else {**shown, "(cut)": len(value) - _MOST_PARTS}
    if isinstance(value, list | tuple) and depth < _DEEPEST:
        parts = [_harmless(part, depth + 1) for part in value[:_MOST_PARTS]]
        return parts if len(value) <= _MOST_PARTS else [*parts, f"({len(value) - _MOST_PARTS} cut)"]
    return _text(value)


def _text(value: object) -> str:
    text = str(value)
    cut = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} (cut)"
    return cut.replace("://", "[:]//")
