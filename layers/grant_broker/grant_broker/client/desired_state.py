"""Keys, standing approvals and accounts as files say they should be."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from grant_broker.domain.accounts import AccountDocument
from grant_broker.domain.key_document import KeyArn, KeyDocument
from grant_broker.domain.standing_approval import StandingApproval


class WantedKey(BaseModel):
    """A key's limits. What is left out stays as it is; of a key that is new it takes its default."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: Literal["key"]
    key_arn: KeyArn

    @property
    def fields(self) -> dict[str, object]:
        """What the file names of the document."""
        return {"key_arn": self.key_arn, **(self.model_extra or {})}


class WantedApproval(StandingApproval):
    """A standing approval. None is ever changed: other words are another approval."""

    kind: Literal["approval"]


class WantedAccount(AccountDocument):
    """The whole entry of an account: what is left out is null."""

    kind: Literal["account"]


_KINDS = {"key", "approval", "account"}
Wanted: TypeAlias = WantedKey | WantedApproval | WantedAccount
_WANTED: TypeAdapter[Wanted] = TypeAdapter(Annotated[Wanted, Field(discriminator="kind")])


class UnreadableError(Exception):
    """What is wrong with the files, a line each."""


@dataclass(frozen=True)
class DesiredState:
    """What the files hold, in their order."""

    keys: tuple[WantedKey, ...]
    approvals: tuple[WantedApproval, ...]
    accounts: tuple[WantedAccount, ...] = ()


def read_files(paths: Iterable[Path]) -> DesiredState:
    """Read YAML documents of all files; UnreadableError names every fault with its file and document."""
    found: list[Wanted] = []
    faults: list[str] = []
    for path in paths:
        for place, document in _documents(path, faults):
            try:
                found.append(_WANTED.validate_python(document))
            except ValidationError as error:
                faults += (f"{place}: {line}" for line in fault_lines(error))
    if faults:
        raise UnreadableError("\n".join(faults))
    return DesiredState(
        tuple(each for each in found if isinstance(each, WantedKey)),
        tuple(each for each in found if isinstance(each, WantedApproval)),
        tuple(each for each in found if isinstance(each, WantedAccount)),
    )


def complete(fields: dict[str, object]) -> KeyDocument:
    """A whole document; UnreadableError."""
    try:
        return KeyDocument.model_validate(fields)
    except ValidationError as error:
        faults = (f"key {fields['key_arn']}: {line}" for line in fault_lines(error))
        raise UnreadableError("\n".join(faults)) from error


def fault_lines(error: ValidationError) -> Iterator[str]:
    """Every fault of a document, with the field."""
    for fault in error.errors():
        # The kind comes first where there are several; alone it is a field.
        kind, *rest = fault["loc"] or ("",)
        place = ".".join(str(part) for part in (rest if rest and kind in _KINDS else fault["loc"]))
        quoted = " (in quotes)" if isinstance(fault["input"], int) else ""
        yield f"{place or 'document'}: {fault['msg'].removeprefix('Value error, ')}{quoted}"


def _documents(path: Path, faults: list[str]) -> Iterator[tuple[str, object]]:
    try:
        documents = list(yaml.safe_load_all(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        faults.append(f"{path}: {' '.join(str(error).split())}")
        return
    for number, document in enumerate(documents, start=1):
        if document is not None:
            yield f"{path} document {number}", document
