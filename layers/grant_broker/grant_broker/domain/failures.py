"""Why calls to KMS fail, in the few words that a metric is split by: error codes are many, and change."""

_REASONS = {
    "Throttled": ("ThrottlingException", "Throttling", "ThrottledException", "LimitExceededException"),
    "NotPermitted": ("AccessDeniedException", "AccessDenied"),
    "KeyUnusable": ("DisabledException", "KMSInvalidStateException"),
    "NotFound": ("NotFoundException", "InvalidArnException"),
    "NotOurs": ("NotOurs",),
}
_BY_CODE = {code: reason for reason, codes in _REASONS.items() for code in codes}


def reason_of(code: str) -> str:
    """The reason behind an error code of KMS or of its client: `NoAnswer` for all that say nothing of why."""
    return _BY_CODE.get(code, "NoAnswer")
