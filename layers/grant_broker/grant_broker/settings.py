"""What a function is told by its environment; `template.yaml` sets each of these."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from grant_broker.domain.scope import ENCRYPT_SIDE


def _listed(value: object) -> object:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


Listed = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Settings(BaseModel):
    """The stack's settings. Durations are in seconds."""

    model_config = ConfigDict(frozen=True)

    request_table: str
    approval_table: str = ""
    home_account: str = ""
    aws_region: str = ""
    retiring_principal: str = ""
    requests_role: str = ""
    approvals_role: str = ""
    reconcile_role: str = ""
    trusted_accounts: Listed = ()
    approver_role_ids: Listed = ()
    identity_center_role_ids: Listed = ()
    grantable_operations: Listed = ENCRYPT_SIDE
    smallest_duration: Annotated[int, Field(ge=1)] = 300
    answer_within: Annotated[int, Field(ge=60)] = 259_200
    take_up_within: Annotated[int, Field(ge=60)] = 86_400
    submissions_per_minute: Annotated[int, Field(ge=1)] = 300
    open_per_account: Annotated[int, Field(ge=1)] = 1000
    open_per_grantee: Annotated[int, Field(ge=1)] = 500
    pending_per_account: Annotated[int, Field(ge=1)] = 500
    end_rate: Annotated[int, Field(ge=1)] = 40

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings in an environment; ValidationError where one is missing or malformed."""
        given = {name: environment[name.upper()] for name in cls.model_fields if name.upper() in environment}
        return cls.model_validate(given)
