"""Which texts the broker accepts: nothing that can hide, reorder or break a line in a log or a mail."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue

# Marks that reorder or hide what an approver reads (UAX #9), and U+FFFD, which API Gateway puts in the
# place of bytes that are not UTF-8.
_FORBIDDEN = frozenset("\u061c\u200b\u200e\u200f\u2028\u2029\u2060\ufeff\ufffd") | frozenset(
    chr(point) for pair in ((0x202A, 0x202E), (0x2066, 0x2069)) for point in range(pair[0], pair[1] + 1)
)

# The same in ECMA 262, for the OpenAPI document; lone surrogates are no characters there.
_ALLOWED = (
    r"^[^\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ufffd]*$"
)


@dataclass(frozen=True)
class Documented:
    """Adds what a validator checks to the JSON Schema of the OpenAPI document. Checks nothing itself."""

    keywords: tuple[tuple[str, Any], ...]

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:  # noqa: ANN401 - pydantic's
        """Pydantic's hook."""
        added = {name: list(v) if isinstance(v, tuple) else v for name, v in self.keywords}
        return {**handler(schema), **added}


CLEAN = Documented((("pattern", _ALLOWED),))


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


Text = Annotated[str, AfterValidator(clean), CLEAN]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(clean), CLEAN]
Comment = Annotated[str, StringConstraints(max_length=1000), AfterValidator(clean), CLEAN]
Ticket = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(clean), CLEAN]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
