"""What KMS's errors mean that are not about who may call, and what to do about each."""

from grant_broker.domain.cause import Cause, Explanation

KEY_FAULTS = {
    "DisabledException": "it is disabled",
    "KMSInvalidStateException": "its state allows no use: it is pending deletion or import",
}
"""By the code with which KMS refuses whoever calls."""
_OTHERS = {
    "ExpiredTokenException": (
        "the caller's own credentials have expired",
        "Get new credentials, and call again.",
    ),
    "IncorrectKeyException": (
        "another key than the one named in the call encrypted this",
        "Name the key that encrypted it, or leave KeyId out.",
    ),
    "InvalidCiphertextException": (
        "the ciphertext is damaged, or was encrypted under another encryption context",
        "Send the very context that it was encrypted with: there, case counts in keys too.",
    ),
    "InvalidGrantTokenException": (
        "the grant token in the call is none of KMS's",
        "Send the token that the request shows, whole, or none once the grant is five minutes old.",
    ),
    "InvalidKeyUsageException": (
        "the key is not for this operation or algorithm",
        "Leave the algorithm out: the grant is on a symmetric encryption key.",
    ),
    "InvalidSignatureException": (
        "the signature of the call does not match",
        "Check the secret key, the Region and the clock.",
    ),
    "LimitExceededException": ("a quota of KMS is used up", "Ask the key's owner to raise the quota."),
    "ThrottlingException": ("KMS takes no more calls at this rate", "Call again, later each time."),
    "UnrecognizedClientException": (
        "AWS does not know the caller's credentials",
        "Get new credentials, and call again.",
    ),
    "ValidationException": (
        "a parameter of the call is not valid",
        "Mend the parameter that its message names.",
    ),
}


def explain_code(code: str, key_arn: str) -> Explanation:
    """Explain a refusal whose code is not that of a denied access."""
    if code in KEY_FAULTS:
        return key_unusable(KEY_FAULTS[code])
    if code == "NotFoundException":
        because = "KMS found no such key: it is of another Region or account, or was deleted."
        return Explanation(Cause.KEY_UNUSABLE, because, f"Call with the ARN {key_arn}, in its own Region.")
    meaning, then = _OTHERS.get(
        code, ("it is not about who may call", "Read its message: it names what is wrong.")
    )
    return Explanation(Cause.NOT_ABOUT_ACCESS, f"KMS answered {code}: {meaning}.", then)


def key_unusable(fault: str) -> Explanation:
    """Explain that KMS lets nobody use the key."""
    because = f"Nobody can use the key now: {fault}."
    return Explanation(Cause.KEY_UNUSABLE, because, "Ask the security team, or whoever manages the key.")
