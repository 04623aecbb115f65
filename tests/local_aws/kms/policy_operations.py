"""PutKeyPolicy, GetKeyPolicy, ListKeyPolicies."""

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.kms.access import Access, Asked, KmsCall
from tests.local_aws.kms.key_policies import KeyPolicy, check
from tests.local_aws.kms.keys import Key
from tests.local_aws.kms.pages import Limits, page

BYPASS = "BypassPolicyLockoutSafetyCheck"
_DEFAULT, _SHARED = "default", "AWS_RAM"
_OF_POLICIES = Limits(100, 1000)


class PolicyOperations:
    """The operations on key policies: `default`, and AWS_RAM, which Resource Access Manager alone puts."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def put(self, call: KmsCall) -> Response:
        """PutKeyPolicy."""
        key, name = self._access.key(call), _name(call)
        context = {**bypass_context(call), "kms:PolicyName": name}
        self._access.require(call, key, Asked("PutKeyPolicy", context=context))
        if name == _SHARED:
            words = f"The policy {_SHARED} is managed by Resource Access Manager."
            raise AwsError("ValidationException", words)
        if name != _DEFAULT:
            raise _no_such_policy()
        check(self._access.directory, call.parameters["Policy"])
        policy = KeyPolicy(self._access.directory, call.parameters["Policy"])
        if not call.parameters.get(BYPASS):
            check_lockout(self._access, call, key, policy)
        key.policy = policy
        return ok({})

    def get(self, call: KmsCall) -> Response:
        """GetKeyPolicy."""
        key, name = self._access.key(call), _name(call)
        self._access.require(call, key, Asked("GetKeyPolicy", context={"kms:PolicyName": name}))
        text = {_DEFAULT: key.policy.text, _SHARED: key.shared_policy}.get(name)
        if text is None:
            raise _no_such_policy()
        return ok({"Policy": text, "PolicyName": name})

    def list(self, call: KmsCall) -> Response:
        """ListKeyPolicies."""
        key = self._access.key(call)
        self._access.require(call, key, Asked("ListKeyPolicies"))
        names = [_DEFAULT, *([_SHARED] if key.shared_policy else [])]
        return ok(page(call, "PolicyNames", names, _OF_POLICIES, [key.arn]))


def bypass_context(call: KmsCall) -> dict[str, object]:
    """The condition key of BypassPolicyLockoutSafetyCheck: absent where the caller did not send it."""
    return {f"kms:{BYPASS}": call.parameters[BYPASS]} if BYPASS in call.parameters else {}


def check_lockout(access: Access, call: KmsCall, key: Key, policy: KeyPolicy) -> None:
    """Raises MalformedPolicyDocumentException unless the caller could put the next policy."""
    try:
        access.require(call, key, Asked("PutKeyPolicy", context={"kms:PolicyName": _DEFAULT}), policy)
    except AwsError as error:
        words = "The new key policy will not allow you to update the key policy in the future."
        raise AwsError("MalformedPolicyDocumentException", words) from error


def _name(call: KmsCall) -> str:
    return str(call.parameters.get("PolicyName", _DEFAULT))


def _no_such_policy() -> AwsError:
    return AwsError("NotFoundException", "No such policy exists")
