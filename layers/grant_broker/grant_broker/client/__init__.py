"""The Python client: `Client`, and what it raises.

    with Client().grant(key="partner_data", operations=["Encrypt"], encryption_context={"dataset": "orders"},
                        duration="2h", reason="nightly upload") as grant:
        ciphertext = grant.encrypt(b"...")

Loads boto3 only where something of it is used: most commands need less.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grant_broker.client.errors import (
        BlockedError,
        ConflictError,
        CredentialsError,
        GrantBrokerError,
        InvalidArgumentError,
        InvalidRequestError,
        NoAnswerError,
        NotFoundError,
        NotGrantedError,
        NotPermittedError,
        PreconditionFailedError,
        ProblemError,
        TooLargeError,
        TooManyRequestsError,
        UnavailableError,
        UnexpectedAnswerError,
        WaitTimeoutError,
    )
    from grant_broker.client.grant import HeldGrant
    from grant_broker.client.security_team import SecurityTeam
    from grant_broker.client.third_party import Client

__all__ = [
    "BlockedError",
    "Client",
    "ConflictError",
    "CredentialsError",
    "GrantBrokerError",
    "HeldGrant",
    "InvalidArgumentError",
    "InvalidRequestError",
    "NoAnswerError",
    "NotFoundError",
    "NotGrantedError",
    "NotPermittedError",
    "PreconditionFailedError",
    "ProblemError",
    "SecurityTeam",
    "TooLargeError",
    "TooManyRequestsError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "WaitTimeoutError",
]


def __getattr__(name: str) -> object:
    """What is exported, from its module (PEP 562)."""
    if name not in __all__:
        raise AttributeError(name)
    from grant_broker.client import errors, grant, third_party  # noqa: PLC0415

    return next(getattr(module, name) for module in (errors, third_party, grant) if hasattr(module, name))
