"""Which texts the broker accepts: nothing that can hide, reorder or break a line in a log or a mail."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from grant_broker.domain.arns import ACCOUNT

# Marks that reorder or hide what an approver reads (UAX #9), and U+FFFD, which API Gateway puts in the
# place of bytes that are not UTF-8.
_FORBIDDEN = frozenset("\u061c\u200b\u200e\u200f\u2028\u2029\u2060\ufeff\ufffd") | frozenset(
    chr(point) for pair in ((0x202A, 0x202E), (0x2066, 0x2069)) for point in range(pair[0], pair[1] + 1)
)

# Unicode's default-ignorable code points, which are shown as nothing, and the blank of Braille. Joiners and
# variation selectors are among them: prose in many scripts needs those, a context or a name that is compared
# character by character must not hold what nobody sees.
_INVISIBLE = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)


_BMP = 0xFFFF


def _escaped(point: int) -> str:
    return f"\\u{point:04x}" if point <= _BMP else chr(point)


# Both in ECMA 262, for the OpenAPI document; lone surrogates are no characters there.
_NOT_CLEAN = r"\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ufffd"
_NOT_VISIBLE = "".join(f"{_escaped(first)}-{_escaped(last)}" for first, last in _INVISIBLE)
_ALLOWED = f"^[^{_NOT_CLEAN}]*$"
_VISIBLE = f"^[^{_NOT_CLEAN}{_NOT_VISIBLE}]*$"


@dataclass(frozen=True)
class Documented:
    """Adds what a validator checks to the JSON Schema of the OpenAPI document. Checks nothing itself."""

    keywords: tuple[tuple[str, Any], ...]

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:  # noqa: ANN401 - pydantic's
        """Pydantic's hook."""
        added = {name: list(v) if isinstance(v, tuple) else v for name, v in self.keywords}
        return {**handler(schema), **added}


CLEAN = Documented((("pattern", _ALLOWED),))
VISIBLE = Documented((("pattern", _VISIBLE),))


def ecma(pattern: re.Pattern[str]) -> str:
    """An ASCII pattern for the whole text as ECMA 262 writes it; `\\w` stands in character classes only."""
    unnamed = re.sub(r"\(\?P<\w+>", "(?:", pattern.pattern)
    return f"^(?:{unnamed})$".replace(r"\d", "[0-9]").replace(r"\w", "a-zA-Z0-9_")


# Ids are 32 hexadecimal digits; whatever could not even be a key of the tables is nobody's id.
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


def is_id(text: str) -> bool:
    """Whether this could be the id of something: a path holds anything that its caller likes."""
    return _ID.fullmatch(text) is not None


def fault_in(text: str) -> str | None:
    """What is wrong with a text, or None: control characters, bidirectional marks, lone surrogates."""
    for char in text:
        if char in _FORBIDDEN or unicodedata.category(char) in {"Cc", "Cs"}:
            return f"the character U+{ord(char):04X} is not allowed"
    return None


def clean(text: str) -> str:
    """The text itself; ValueError where it holds a forbidden character."""
    if fault := fault_in(text):
        raise ValueError(fault)
    return text


def visible(text: str) -> str:
    """The text itself; ValueError where it holds a character that nobody sees."""
    hidden = (ord(char) for char in text if any(first <= ord(char) <= last for first, last in _INVISIBLE))
    if (point := next(hidden, None)) is not None:
        raise ValueError(f"the character U+{point:04X} is invisible: leave it out")
    return text


@dataclass(frozen=True)
class Form:
    """For an Annotated: a text of this form; who sent another one is told `sentence`, what to give."""

    pattern: re.Pattern[str]
    sentence: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's
        """Pydantic's hook."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:  # noqa: ANN401 - pydantic's
        """Pydantic's hook."""
        return {**handler(schema), "pattern": ecma(self.pattern)}

    def _check(self, text: str) -> str:
        if not self.pattern.fullmatch(text):
            raise ValueError(self.sentence)
        return text


Text = Annotated[str, AfterValidator(clean), CLEAN]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(clean), CLEAN]
Comment = Annotated[str, StringConstraints(max_length=1000), AfterValidator(clean), CLEAN]
Ticket = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    AfterValidator(clean),
    AfterValidator(visible),
    VISIBLE,
]
Name = Annotated[
    str, Form(re.compile(r"[a-z0-9_-]{1,64}"), "give 1 to 64 of the characters a-z, 0-9, _ and -")
]
AccountId = Annotated[str, Form(ACCOUNT, "give the 12 digits of an AWS account")]
