"""What an AWS error says about the call's effect: refused for certain, or nobody knows."""

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

_SERVER_ERROR = 500
_UNCERTAIN = frozenset(
    {
        "DependencyTimeoutException",
        "InternalFailure",
        "InternalServerError",
        "KMSInternalException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
        # The function's own credentials, not what was asked for: a new attempt has new ones.
        "ExpiredToken",
        "ExpiredTokenException",
        "UnrecognizedClientException",
    }
)


def code_of(error: ClientError | BotoCoreError) -> str:
    """AWS's error code, or the name of the client's own error (a time-out, a broken connection)."""
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Code", "Unknown")
    return type(error).__name__


def uncertain(error: ClientError | BotoCoreError) -> bool:
    """Whether the call may or may not have had its effect, or was throttled: worth another attempt."""
    if not isinstance(error, ClientError):
        # Parameters that botocore itself refuses were never sent.
        return not isinstance(error, ParamValidationError)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= _SERVER_ERROR or code_of(error) in _UNCERTAIN
