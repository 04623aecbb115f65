"""Which texts the broker accepts: nothing that can hide, reorder or break a line in a log or a mail."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

# Marks that reorder or hide what an approver reads (UAX #9), and U+FFFD, which API Gateway puts in the
# place of bytes that are not UTF-8.
_FORBIDDEN = frozenset("\u061c\u200b\u200e\u200f\u2028\u2029\u2060\ufeff\ufffd") | frozenset(
    chr(point) for pair in ((0x202A, 0x202E), (0x2066, 0x2069)) for point in range(pair[0], pair[1] + 1)
)


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


Text = Annotated[str, AfterValidator(clean)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(clean)]
Comment = Annotated[str, StringConstraints(max_length=1000), AfterValidator(clean)]
Ticket = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(clean)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
