"""What AWS said when it refused a call, read from the text that an SDK or a command line shows."""

import re
from dataclasses import dataclass

DENIED = "AccessDeniedException"
# `An error occurred (X) when calling …` by botocore and the AWS CLI, `X: …` by the other SDKs, JSON by curl.
_CODE = re.compile(r"\b(?P<code>[A-Z][A-Za-z]+(?:Exception|Error))\b", re.ASCII)
_OPERATION = re.compile(r"\bwhen calling the (?P<action>[A-Za-z]{1,64}) operation\b", re.ASCII)
_NOT_AUTHORISED = re.compile(
    r"\bUser: (?P<principal>arn:[^\s\"]+) is not authorized to perform: kms:(?P<action>[A-Za-z]{1,64})"
    r"(?: on resource: (?P<key>arn:[^\s\"]+))?",
    re.ASCII,
)
# What caps access wherever it comes from. The identity- and resource-based policies are not among those that
# "no … allows": a grant stands in for them.
_CAPPED = re.compile(
    r"\bwith an explicit deny in (?P<deny>an? [A-Za-z -]{1,60}policy|a permissions boundary)"
    r"|\bbecause no (?P<cap>(?:service control|resource control|session|VPC endpoint) policy"
    r"|permissions boundary) allows",
    re.ASCII,
)


@dataclass(frozen=True)
class Refusal:
    """AWS's error: its code, and what its message names. What it does not name is None.

    `side` is the kind of policy that denies whatever a grant allows, in AWS's words.
    """

    code: str
    text: str
    action: str | None = None
    principal: str | None = None
    key_arn: str | None = None
    side: str | None = None

    @property
    def denied(self) -> bool:
        """Whether it was about who may call."""
        return self.code == DENIED


def read_refusal(text: str) -> Refusal:
    """Read the error's text; one without a code that AWS uses counts as a denied access."""
    named, operation = _NOT_AUTHORISED.search(text), _OPERATION.search(text)
    code, capped = _CODE.search(text), _CAPPED.search(text)
    return Refusal(
        code=DENIED if named or code is None else code["code"],
        text=text,
        action=named["action"] if named else operation["action"] if operation else None,
        principal=named["principal"] if named else None,
        key_arn=named["key"] if named else None,
        side=_side(capped) if capped else None,
    )


def _side(capped: re.Match[str]) -> str:
    return capped["deny"] or f"a {capped['cap']}"
