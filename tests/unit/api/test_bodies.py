"""Bodies: read strictly, and every fault told at once by its top-level field."""

import base64
import json
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import InitErrorDetails, core_schema

from grant_broker.api import body as bodies
from grant_broker.api.faults import SENTENCES as SENTENCE_OF
from grant_broker.api.faults import faults_of
from grant_broker.domain.decisions import Decision, Revocation
from grant_broker.domain.errors import InvalidRequest, TooLarge
from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.standing_approval import StandingApproval
from grant_broker.domain.submission import Submission

GOOD: dict[str, Any] = {
    "key": "partner_data", "grantee": "arn:aws:iam::444455556666:role/writer", "operations": ["Encrypt"],
    "encryption_context": {"tenant": "a"}, "duration": "PT2H", "reason": "nightly load",
}  # fmt: skip
ARN = "arn:aws:kms:eu-central-1:111122223333:key/0d0e"
KEY: dict[str, Any] = {"name": "partner_data", "accounts": ["444455556666"]}


def event(body: str | None, *, encoded: bool = False) -> dict[str, Any]:
    """A call with this body."""
    return {"body": body, "isBase64Encoded": encoded}


class Anything(BaseModel):
    """Any JSON object."""

    model_config = ConfigDict(extra="allow")


def read(text: str) -> dict[str, Any]:
    """The JSON object in a body, whatever it holds."""
    return dict(bodies.read(Anything, event(text)).__pydantic_extra__ or {})


def faults(body: Any, model: Any = Submission, **given: str) -> dict[str, str]:
    """The faults that reading a body tells, by field."""
    text = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(InvalidRequest) as refused:
        bodies.read(model, event(text), **given)
    return {fault.field: fault.message for fault in refused.value.faults}


def test_good() -> None:
    """A body is read as its model; operations come in KMS's own order, each once."""
    body = {**GOOD, "operations": ["DescribeKey", "Encrypt", "Encrypt"], "ticket": None, "starts_at": None}
    found = bodies.read(Submission, event(json.dumps(body)))
    assert (found.scope.operations, found.duration) == (("Encrypt", "DescribeKey"), 7200)
    assert (found.context_match, found.ticket, found.starts_at) == ("equals", None, None)


def test_given() -> None:
    """What the path says stands where the body is silent, and the body's own word goes first."""
    assert bodies.read(KeyDocument, event(json.dumps(KEY)), key_arn=ARN).key_arn == ARN
    other = ARN.replace("0d0e", "0d0f")
    assert (
        bodies.read(KeyDocument, event(json.dumps({**KEY, "key_arn": other})), key_arn=ARN).key_arn == other
    )


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", '"a"', "1", "true", "{} {}", "\ufeff{}", "{'a': 1}", "{a: 1}"]
)
def test_no_object(text: str) -> None:
    """What is no JSON object is refused as a whole."""
    assert list(faults(text)) == ["body"]
    with pytest.raises(InvalidRequest):
        read(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 5000])
def test_numbers(number: str) -> None:
    """NaN, infinities and what only a float could lose are no JSON here."""
    assert list(faults(f'{{"duration": {number}}}')) == ["body"]
    assert read('{"a": 1.5, "b": -2}') == {"a": 1.5, "b": -2}


@pytest.mark.parametrize("depth", [21, 200, 30_000])
def test_deep(depth: int) -> None:
    """A body nested deeper than 20 levels is refused, however deep."""
    assert set(faults('{"reason":' + "[" * depth + "]" * depth + "}", Decision)) <= {
        "body",
        "reason",
        "verdict",
    }
    with pytest.raises(InvalidRequest):
        read('{"reason":' + "[" * depth + "]" * depth + "}")
    assert read('{"reason":' + "[" * 19 + "]" * 19 + "}")


def test_twice() -> None:
    """A field named twice is refused, on every level, by its top-level field; a repeat elsewhere is not."""
    text = json.dumps(GOOD)
    assert faults(text[:-1] + ', "duration": "PT2H"}') == {"duration": "named twice"}
    assert faults(text.replace('"tenant": "a"', '"tenant": "a", "tenant": "a"')) == {
        "encryption_context": "named twice"
    }
    assert "x" in faults('{"x": [{"a": 1, "a": 2}]}')
    assert read('{"a": {"a": 1}, "b": {"a": 1}}') == {"a": {"a": 1}, "b": {"a": 1}}


def test_many_times() -> None:
    """A body full of one name is answered as fast as any, with one fault."""
    text = "{" + ",".join(['"":1'] * 13_000) + "}"
    with pytest.raises(InvalidRequest) as refused:
        read(text)
    assert [(fault.field, fault.message) for fault in refused.value.faults] == [("body", "named twice")]


def test_most_faults() -> None:
    """A body with thousands of faults is answered with the first hundred."""
    with pytest.raises(InvalidRequest) as refused:
        bodies.read(Submission, event(json.dumps({f"f{number}": 1 for number in range(5000)})))
    assert len(refused.value.faults) == 100


def test_all_at_once() -> None:
    """Faults of every kind come together: unknown, twice, of the wrong type, out of form, bad characters."""
    text = (
        '{"key": "No Such", "grantee": "*", "operations": ["Fly"], "encryption_context": {"a": 1},'
        '"context_match": "like", "duration": 7200, "starts_at": "now", "reason": "a\\u202eb", "extra": 1,'
        '"ticket": "a", "ticket": "a"}'
    )
    found = faults(text)
    assert set(found) == {*GOOD, "context_match", "starts_at", "extra", "ticket"}
    assert found["reason"] == "the character U+202E is not allowed"


def test_unknown() -> None:
    """An unknown field is named, unless its name is unfit to be shown."""
    for name in ("surprise", "with-dash", "key "):
        assert list(faults({**GOOD, name: 1})) == [name]
    for name in ("", "a" * 65, "a\u202eb", "a\nb"):
        assert list(faults({**GOOD, name: 1})) == ["body"]


@pytest.mark.parametrize("field", list(GOOD))
def test_missing(field: str) -> None:
    """A missing field is named."""
    assert list(faults({name: value for name, value in GOOD.items() if name != field})) == [field]


@pytest.mark.parametrize("field", [*GOOD, "ticket", "starts_at", "context_match"])
@pytest.mark.parametrize("value", [1, 0, 1.5, True, False, [1], {"a": 1}, [], {}])
def test_wrong_type(field: str, value: Any) -> None:
    """Nothing is taken for what it is not: a number or boolean is no text, a text no list."""
    assert list(faults({**GOOD, field: value})) == [field]


@pytest.mark.parametrize("field", ["operations", "encryption_context"])
def test_text_for_a_list(field: str) -> None:
    """A text stands for no list and no object."""
    assert list(faults({**GOOD, field: "Encrypt"})) == [field]


BAD_CONTEXTS: list[dict[str, Any]] = [
    {}, {"a": None}, {"a": 1}, {"a": True}, {"a": ["b"]}, {"a": {"b": "c"}}, {"": "b"},
    {"Tenant": "a", "tenant": "b"}, {"straße": "a", "STRASSE": "a"}, {f"k{n}": "v" for n in range(9)},
    {"k": "v" * 385}, {"k" * 385: "v"},
    *({"k": f"v{c}"} for c in "\n\x00\x7f\u202e\u2066\ufffd\ud800"),
    *({f"k{c}": "v"} for c in "\n\u202e\ufffd\ud800"),
]  # fmt: skip


@pytest.mark.parametrize("context", BAD_CONTEXTS)
def test_context(context: dict[str, Any]) -> None:
    """Names and values of the context are texts of at most 384 characters, 8 pairs, apart without case."""
    assert list(faults({**GOOD, "encryption_context": context})) == ["encryption_context"]


@pytest.mark.parametrize(
    "context", [{f"k{n}": "v" for n in range(8)}, {"k" * 384: "v" * 384}, {"k": ""}, {"ä b:/": "ü"}]
)
def test_good_context(context: dict[str, str]) -> None:
    """The context's limits can be used to the full."""
    found = bodies.read(Submission, event(json.dumps({**GOOD, "encryption_context": context})))
    assert found.encryption_context == context


@pytest.mark.parametrize(
    "names",
    [
        ["CreateGrant"],
        ["RetireGrant"],
        ["Encrypt", "encrypt"],
        ["KMS:Encrypt"],
        ["kms:kms:Encrypt"],
        ["kms:"],
        ["kms:CreateGrant"],
        ["s3:Encrypt"],
        ["Encrypt "],
        ["a\u202e"],
        [""],
    ],
)
def test_operations(names: list[str]) -> None:
    """Operations are KMS's own names; CreateGrant is never grantable."""
    assert list(faults({**GOOD, "operations": names})) == ["operations"]


def test_operations_as_a_policy_writes_them() -> None:
    """`kms:Encrypt` is understood as Encrypt, beside it once."""
    body = {**GOOD, "operations": ["kms:DescribeKey", "kms:Encrypt", "Encrypt"]}
    assert bodies.read(Submission, event(json.dumps(body))).operations == ("Encrypt", "DescribeKey")


INVISIBLE = [*map(chr, (0xAD, 0x34F, 0x115F, 0x17B4, 0x180E, 0x200C, 0x200D, 0x2065, 0x2800, 0x3164, 0xFE0F,
                        0xFFA0, 0x1BCA0, 0x1D173, 0xE0001, 0xE0041, 0xE007F, 0xE0100))]  # fmt: skip


@pytest.mark.parametrize("character", INVISIBLE)
def test_invisible(character: str) -> None:
    """Names, values and tickets hold no character that nobody sees; prose may, where scripts need it."""
    words = f"the character U+{ord(character):04X} is invisible: leave it out"
    for context in ({f"a{character}": "b"}, {"a": f"b{character}"}):
        found = faults({**GOOD, "encryption_context": context})
        assert found == {"encryption_context": f"in one of its entries: {words}"}
    assert faults({**GOOD, "ticket": f"SEC-1{character}"}) == {"ticket": words}
    for field in ("key", "grantee"):
        assert list(faults({**GOOD, field: f"{GOOD[field]}{character}"})) == [field]
    assert bodies.read(Submission, event(json.dumps({**GOOD, "reason": f"a{character}"}))).reason


@pytest.mark.parametrize("character", ["\x00", "\n", "\x7f", "\u202e", "\u2066", "\ufffd", chr(0xD800)])
@pytest.mark.parametrize(
    "field", ["key", "grantee", "duration", "reason", "ticket", "starts_at", "context_match"]
)
def test_characters(field: str, character: str) -> None:
    """No text of a body holds control characters, overrides, lone surrogates or bytes that were not UTF-8."""
    assert list(faults({**GOOD, field: f"a{character}"})) == [field]


@pytest.mark.parametrize(
    "key",
    [
        "*",
        "",
        "alias/a",
        "a" * 65,
        "Partner",
        "arn:aws:kms:eu-central-1:111122223333:alias/a",
        f"{ARN}/",
        "arn:aws:kms::111122223333:key/1",
        f"{ARN}\n",
    ],
)
def test_key(key: str) -> None:
    """A key is a registered name's form or a key ARN, never an alias."""
    assert list(faults({**GOOD, "key": key})) == ["key"]
    assert bodies.read(Submission, event(json.dumps({**GOOD, "key": ARN}))).key == ARN


@pytest.mark.parametrize("quorum", [0, 11, -1, 1.0, True, "1", None, 10**30])
def test_quorum(quorum: Any) -> None:
    """A quorum is a whole number from 1 to 10, written as one."""
    assert list(faults({**KEY, "quorum": quorum}, KeyDocument, key_arn=ARN)) == ["quorum"]


def test_key_document() -> None:
    """A key's document tells its own faults only: no default of one field shows as another's fault."""
    body = {**KEY, "accounts": ["1"], "max_duration": 7200, "operations": [], "name": "A"}
    assert set(faults(body, KeyDocument, key_arn=ARN)) == {"accounts", "max_duration", "operations", "name"}
    assert set(faults({"accounts": []}, KeyDocument, key_arn="x")) == {"accounts", "name", "key_arn"}
    assert set(
        faults({**KEY, "required_context": {"t": "${account}" + "v" * 374}}, KeyDocument, key_arn=ARN)
    ) == {"required_context"}


@pytest.mark.parametrize("body", [{"verdict": "deny"}, {"verdict": "deny", "comment": " "}])
def test_denial(body: dict[str, str]) -> None:
    """A denial without a comment is told by its field."""
    assert faults(body, Decision) == {"comment": "a denial says why"}
    assert bodies.read(Decision, event('{"verdict": "approve"}')).comment == ""
    assert bodies.read(Decision, event('{"verdict": "deny", "comment": "no"}')).comment == "no"


def test_grantee_of_account() -> None:
    """A standing approval's grantee is of its account, told by the field, together with other faults."""
    body = {
        **{name: GOOD[name] for name in ("key", "grantee", "operations", "encryption_context", "reason")},
        "account": "666677778888", "max_duration": "PT1H", "valid_until": "2026-01-31T09:30:00Z",
    }  # fmt: skip
    assert set(faults(body, StandingApproval)) == {"grantee"}
    assert set(faults({**body, "max_duration": 1}, StandingApproval)) == {"grantee", "max_duration"}
    assert set(faults({**body, "account": 1}, StandingApproval)) == {"account"}
    for grantee in (None, "arn:aws:iam::666677778888:role/w"):
        text = json.dumps({**body, "grantee": grantee})
        assert bodies.read(StandingApproval, event(text)).grantee == grantee


@pytest.mark.parametrize("content", ["x", "{", "ü", "\ud800", " ", "\x00"])
def test_too_large(content: str) -> None:
    """A body over 64 KiB is too large whatever it says, counted in bytes, encoded or not."""
    for call in (bodies.refuse_body, lambda it: bodies.read(Submission, it)):
        with pytest.raises(TooLarge):
            call(event(content * (64 * 1024 + 1)))
        with pytest.raises(TooLarge):
            call(event(base64.b64encode(b"x" * (64 * 1024 + 3)).decode(), encoded=True))


def test_largest() -> None:
    """A body of exactly 64 KiB is read."""
    body = '{"a":"' + "x" * (64 * 1024 - 8) + '"}'
    assert len(read(body)["a"]) == 64 * 1024 - 8


def test_encoded() -> None:
    """A body that the gateway took for binary is refused."""
    text = base64.b64encode(b"{}").decode()
    assert read("{}") == {}
    for call in (bodies.refuse_body, lambda it: bodies.read(Anything, it)):
        with pytest.raises(InvalidRequest):
            call(event(text, encoded=True))


def test_no_body() -> None:
    """A call that takes no body is sent none or an empty object: nothing that is sent is ignored."""
    for nothing in (None, "", " \n", "{}", " {} "):
        bodies.refuse_body(event(nothing))
    for something in ('{"duration": "PT10H"}', "null", "[]", "x"):
        with pytest.raises(InvalidRequest):
            bodies.refuse_body(event(something))


SENTENCES = [
    ("operations", "Encrypt", 'give a list, in brackets: ["Encrypt"]'),
    ("operations", "a\u200bb", 'give a list, in brackets: ["..."]'),
    ("operations", {"a": "b"}, 'give a list, in brackets: ["..."]'),
    ("operations", [], "empty: give at least 1"),
    ("operations", ["Encrypt"] * 65, "give at most 64 entries"),
    ("operations", [1], "in one of its entries: give a text, in quotes"),
    ("operations", ["a b"], "in one of its entries: give KMS's own names of operations, such as Encrypt"),
    ("encryption_context", "a=b", 'give an object of names and texts, such as {"tenant": "a"}'),
    ("encryption_context", {}, "empty: give at least 1"),
    ("encryption_context", {"a": 1}, "in one of its entries: give a text, in quotes"),
    ("encryption_context", {"": "a"}, "in one of its entries: give at least 1 characters"),
    ("context_match", "like", "give one of 'equals' or 'subset'"),
    ("key", "alias/data", "give the ARN of a key, or the name it is registered by"),
    ("key", 1, "give a text, in quotes"),
    ("grantee", "*", "give the ARN of one IAM role, IAM user or assumed-role session, without wildcards"),
    ("reason", "", "give at least 1 characters"),
    ("reason", "x" * 1001, "give at most 1000 characters"),
    ("ticket", "x" * 101, "give at most 100 characters"),
    ("duration", 7200, "give an ISO 8601 duration without years and months, such as PT2H"),
    ("more", 1, "there is no such field"),
]


@pytest.mark.parametrize(("field", "value", "sentence"), SENTENCES)
def test_sentences(field: str, value: Any, sentence: str) -> None:
    """Each fault is one plain sentence that says what to send."""
    assert faults({**GOOD, field: value})[field] == sentence


def test_missing_in_words() -> None:
    """A field that is left out is asked for."""
    assert faults({})["reason"] == "missing: give this field"


_NUMBERS = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "actual_length", "max_digits",
            "decimal_places", "whole_digits", "expected_version", "tz_expected", "tz_actual")  # fmt: skip
_TEXTS = ("error", "attribute", "method_name", "class_name", "field_type", "pattern", "expected", "encoding",
          "encoding_error", "class", "discriminator", "tag", "expected_tags", "expected_schemes")  # fmt: skip


@pytest.mark.parametrize("kind", get_args(core_schema.ErrorType))
def test_no_word_of_the_validator(kind: str) -> None:
    """Whatever type of error the validator knows, a caller is told a sentence of the API's own."""
    context = {**dict.fromkeys(_NUMBERS, 7), **dict.fromkeys(_TEXTS, "w")}
    details: list[InitErrorDetails] = [{"type": kind, "loc": ("field",), "input": 1, "ctx": context}]
    error = ValidationError.from_exception_data("model", details)
    [fault] = faults_of(error)
    assert fault.field == "field"
    assert fault.message != error.errors()[0]["msg"]
    assert (kind in SENTENCE_OF) != (fault.message == "not valid")


@pytest.mark.parametrize("model", [Submission, StandingApproval, Decision, Revocation, KeyDocument])
@pytest.mark.parametrize(
    "value", [None, 1, 0, -1, 11, 1.5, True, "", "x", "x" * 2000, "\ud800", [], ["x"], [[]], {}, {"x": 1},
              {"x": "y" * 400}, {"x": {}}, ["x"] * 200, {str(n): "x" for n in range(9)}, 10**30],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_every_fault_of_every_body_has_a_sentence(model: Any, value: Any) -> None:
    """No field of any body is refused as merely `not valid`: each way to be wrong has its sentence."""
    body = dict.fromkeys(model.model_fields, value)
    try:
        bodies.read(model, event(json.dumps(body)))
    except InvalidRequest as refused:
        for fault in refused.faults:
            assert "not valid" not in fault.message, fault
