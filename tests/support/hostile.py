"""Hypothesis strategies for hostile input: bodies, texts, queries, headers and paths."""

import base64
import copy
import json
from typing import Any

from hypothesis import strategies as st

# What breaks parsers, terminals, spreadsheets, logs, templates and people's eyes.
NASTY = (
    "", " ", "\x00", "\n", "\r\nSet-Cookie: a=b", "\x1b[2J\x1b[31m", "\x7f", "\x9b", "\t", "\u00a0",
    "\u00ad", "\u061c", "\u200b", "\u200d", "\u200e", "\u2028", "\u202e", "\u2066", "\u2069", "\ufeff",
    "\ufffd", "\ufffe", "\ud800", "\udc00\ud800", "\U0001f469\u200d\U0001f4bb", "\U000e0041",
    "\u0430dmin", "p\u0430rtner_data", "\u212aEY", "\ufb01le", "\u0130", "\u00df", "ss", "a\u0301",
    "\u00e1", "=cmd|' /C calc'!A0", "@SUM(1+1)*cmd", "+1", "-2+3", "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}}", "$ACCOUNT", "${account}", "' OR 1=1 --", "<script>", "../../security/requests", "%00",
    "%2e%2e%2f", "*", "arn:aws:iam::444455556666:root", "arn:aws:iam::444455556666:role/*",
    "arn:aws:sts::444455556666:assumed-role/a/*", "lambda.amazonaws.com", "PT0S", "P1Y", "PT1H" * 50,
    "P3650DT1S", "PT9999999999H", "2030-02-31T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z",
    "2030-01-01T00:00:00+00:00", "NaN", "null", "true", "1e309", "x" * 1001, "x" * 385, "\u00e9" * 1000,
    "CreateGrant", "Decrypt", "kms:Encrypt", "encrypt",
)  # fmt: skip
texts = st.sampled_from(NASTY) | st.text(max_size=40) | st.characters(exclude_categories=())
numbers = (
    st.integers()
    | st.sampled_from([0, -1, 1, 10**20, -(10**40), 2**63, 2**64, 1e308, -0.0, 0.5, 10**4000])
    | st.floats(allow_nan=False, allow_infinity=False)
)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=6,
)


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands within a value: the path of names and positions to each part but itself."""
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        return []
    found = [(*place, name) for name, _ in inner]
    return found + [deeper for name, part in inner for deeper in _places(part, (*place, name))]


@st.composite
def changed(draw: st.DrawFn, good: dict[str, Any]) -> Any:
    """A good body with up to three things changed: replaced, left out, added, in any depth."""
    body = copy.deepcopy(good)
    for _ in range(draw(st.integers(0, 3))):
        places = _places(body)
        if not places or draw(st.integers(0, 9)) == 0:
            return draw(values)
        *path, last = draw(st.sampled_from(places))
        parent = body
        for step in path:
            parent = parent[step]
        _change(draw, parent, last)
    return body


def _change(draw: st.DrawFn, parent: Any, last: Any) -> None:
    """Change what stands at `last` in a dict or list."""
    ways = ["replace", "text", "drop", "nest", "many"] + ["add", "case"] * isinstance(parent, dict)
    match draw(st.sampled_from(ways)):
        case "replace":
            parent[last] = draw(values)
        case "text":
            parent[last] = draw(texts)
        case "drop":
            del parent[last]
        case "nest":
            for _ in range(draw(st.sampled_from([1, 19, 20, 21, 200]))):
                parent[last] = [parent[last]]
        case "add":
            parent[draw(texts)] = draw(values)
        case "case":
            parent[last.swapcase()] = parent[last]
        case _:
            wide = draw(st.sampled_from([9, 65, 101]))
            parent[last] = draw(st.sampled_from([{f"k{i}": "v" for i in range(wide)}, ["x"] * wide]))


_TRICKS = (
    '{"a":1,"a":1,', '{"reason":"x",', '{"encryption_context":{"a":"b","a":"c"},', '{"x":NaN,',
    '{"x":-Infinity,', '{"x":1e999,', '{"x":"\\ud800",', '{"\\u0000":1,', "{'x':1,", '{"x":01,',
    '{"x":' + "[" * 500 + "]" * 500 + ",", '{"x":' + "[" * 100_000 + ",", '{"x":' + "9" * 5000 + ",",
    '{"x":"' + "y" * 70_000 + '",', "\ufeff{", "[{", "", '{"__proto__":{},', '{"":"",',
)  # fmt: skip


@st.composite
def raw(draw: st.DrawFn, good: dict[str, Any]) -> str:
    """A body as it comes: mostly JSON of a changed body, sometimes text that no JSON writer makes."""
    text = json.dumps(draw(changed(good)), ensure_ascii=draw(st.booleans()), allow_nan=True)
    match draw(st.integers(0, 9)):
        case 0:
            return draw(st.sampled_from(_TRICKS)) + text.removeprefix("{")
        case 1:
            cut = draw(st.integers(0, len(text)))
            return text[:cut] + draw(texts) + text[cut:]
        case 2:
            return text[: draw(st.integers(0, len(text)))]
        case 3:
            return draw(st.sampled_from([" ", "\n", "\x00", "", "null", "[]", '"x"', "1"])) + text
    return text


# One segment of a path, percent-decoded: never empty, never with a slash, which the gateway tells apart.
segments = texts.map(lambda text: text.replace("/", "") or "x") | st.sampled_from(
    ["0" * 32, "f" * 33, "x" * 3000]
)
_NAMES = (
    "status",
    "limit",
    "cursor",
    "key",
    "account",
    "since",
    "revoke_active",
    "dry_run",
    "Limit",
    "constructor",
)
_forged = st.tuples(texts, texts).map(
    lambda pair: base64.urlsafe_b64encode(json.dumps(pair).encode()).decode()
) | st.sampled_from(["W10=", "bnVsbA==", "e30=", "!!!!", "\u0660", "A" * 5000])
queries = st.dictionaries(
    st.sampled_from(_NAMES) | texts,
    st.sampled_from(["pending", "100", "1", "0", "101", "1.0", "1e1", "\u0661", "2030-01-01T09:00:00Z"])
    | texts
    | _forged,
    max_size=3,
)  # fmt: skip
headers = st.dictionaries(
    st.sampled_from(
        ["Idempotency-Key", "idempotency-key", "Content-Type", "X-Amzn-Trace-Id", "X-Forwarded-For", "Origin",
         "X-HTTP-Method-Override", "x-amz-security-token", "Accept", "Accept-Encoding", "Host", "Cookie"]
    ),
    texts | st.sampled_from(["k", "x" * 128, "x" * 129, "text/csv", "gzip", "DELETE", "*"]),
    max_size=4,
)  # fmt: skip
