"""What somebody sends to learn why KMS refuses a call."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from grant_broker.domain import arns
from grant_broker.domain.texts import Form, Text
from grant_broker.domain.times import Time

_LONGEST_TEXT = 1_024
_MOST_PAIRS = 32
_LARGEST = 1 << 40

_Action = Annotated[
    str, Form(re.compile(r"(?:kms:)?[A-Za-z]{1,64}"), "give KMS's own name of an operation, such as Encrypt")
]
_Principal = Annotated[
    str,
    Form(
        re.compile(rf"(?:{arns.PRINCIPAL.pattern})|arn:aws:iam::[0-9]{{12}}:root"),
        "give the ARN of a role, a session, a user or a root user",
    ),
]
_Part = Annotated[Text, StringConstraints(max_length=_LONGEST_TEXT)]


class Question(BaseModel):
    """A call to KMS that was made, or might be.

    `context` is the encryption context that it sent, {} where it sent none; null where that is not known.
    `principal` is who calls, the grantee unless it says otherwise; `at` is when, else now.
    `size` is the plaintext's, in bytes. `error` is what AWS answered: with it the call was refused for
    certain, and what AWS names in it goes before what the other fields say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: _Action
    context: Annotated[dict[_Part, _Part], Field(max_length=_MOST_PAIRS)] | None
    principal: _Principal | None = None
    at: Time | None = None
    size: Annotated[int, Field(strict=True, ge=0, le=_LARGEST)] | None = None
    error: Annotated[Text, StringConstraints(min_length=1, max_length=4_096)] | None = None
