"""What functions are told by their environment; `template.yaml` sets every variable, and has its default.

Each function's own settings are in its folder.
"""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _split(value: object) -> object:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


Listed = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""Texts separated by commas; an empty one holds none."""
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Wait = Annotated[int, Field(ge=60)]
"""Seconds that people are given: no minute is too short by mistake."""


class Settings(BaseModel):
    """What every function is told. Nothing has a default: a function that is not told all does not start."""

    # Errors show the variable by its name and not what is in it, nor what else is in the environment. Of the
    # nine kinds a function reads one, and builds no other.
    model_config = ConfigDict(
        frozen=True,
        defer_build=True,
        alias_generator=str.upper,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )

    request_table: Text
    home_account: Text

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; ValidationError, which names the variable, where one is missing or malformed."""
        return cls.model_validate(dict(environment))


class GrantSettings(Settings):
    """What a function is told that reads grants. `agenda_shards` is in how many partitions each part lies."""

    aws_region: Text
    key_regions: Listed
    """The Regions beside the stack's own, `aws_region`, whose keys may be registered."""
    retiring_principal: Text
    agenda_shards: Count

    @property
    def regions(self) -> tuple[str, ...]:
        """The Regions whose keys may be registered, the stack's own first, each once."""
        return tuple(dict.fromkeys((self.aws_region, *self.key_regions)))

    def region_counted(self, named: str | None) -> str:
        """The Region that an end counts in: the home Region where none of the stack's is named."""
        return named if named in self.regions else self.aws_region
