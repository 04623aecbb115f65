"""CreateGrant, ListGrants, ListRetirableGrants, RetireGrant, RevokeGrant."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.kms.access import Access, Asked, KmsCall
from tests.local_aws.kms.grants import LIMIT, Grant
from tests.local_aws.kms.keys import Key
from tests.local_aws.kms.listing import Listing
from tests.local_aws.kms.pages import page
from tests.local_aws.kms.parameters import check_constraints, check_operations

_GRANT_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)


class GrantOperations:
    """The operations on grants; none of them takes an alias."""

    def __init__(self, access: Access, clock: Callable[[], datetime]) -> None:
        self._access, self._clock = access, clock

    def create(self, call: KmsCall) -> Response:
        """CreateGrant."""
        given = call.parameters
        check_constraints(given)
        key = self._access.key(call)
        constraints: Mapping[str, Mapping[str, str]] = given.get("Constraints", {})
        pairs = next(iter(constraints.values()), {})
        self._access.require(call, key, Asked("CreateGrant", pairs, _context(given, constraints)))
        check_operations(given, key)
        key.require_enabled()
        retiring = given.get("RetiringPrincipal")
        ids = (self._principal(given["GranteePrincipal"]), self._principal(retiring) if retiring else None)
        wanted = {k: v for k, v in given.items() if k not in ("DryRun", "GrantTokens")} | {"KeyId": key.arn}
        issuer = call.caller.account
        if key.grants.full and key.grants.repeated(wanted, ids, issuer) is None:
            raise AwsError("LimitExceededException", f"{key.arn} has reached its limit of {LIMIT} grants.")

        def answer() -> dict[str, Any]:
            grant, token = self._access.grants.create(key.grants, wanted, ids, issuer, self._clock())
            return {"GrantId": grant.grant_id, "GrantToken": token}

        return call.conclude(answer)

    def list(self, call: KmsCall) -> Response:
        """ListGrants."""
        given, key = call.parameters, self._access.key(call)
        self._access.require(call, key, Asked("ListGrants", context=_BY_HAND))
        found = key.grants.listing
        if "GranteePrincipal" in given:
            wanted = self._access.directory.resolve(given["GranteePrincipal"]) or given["GranteePrincipal"]
            grantee = key.grants.by_grantee.get(wanted)
            found = grantee.listing if grantee else Listing()
        if "GrantId" in given:
            _check_grant_id(given["GrantId"])
            one = key.grants.by_id.get(given["GrantId"])
            kept = one if one and ("GranteePrincipal" not in given or one.place in found) else None
            found = Listing.of(kept.place, kept) if kept else Listing()
        scope = [key.arn, given.get("GranteePrincipal"), given.get("GrantId")]
        return ok(page(call, scope, found, self._access.shown))

    def list_retirable(self, call: KmsCall) -> Response:
        """ListRetirableGrants: across keys and accounts, for a principal of the caller's account."""
        retiring = call.parameters["RetiringPrincipal"]
        # The right is on the retiring principal, which need not be the caller.
        self._access.require_keyless(call, resource=retiring)
        wanted = self._principal(retiring)
        # Reading, unconfirmed: the error where the principal is of another account, which AWS rules out.
        if retiring.split(":")[4] != call.caller.account:
            raise AwsError("AccessDeniedException", "The retiring principal is of another account.")
        found = self._access.grants.retirable.get(wanted, Listing())
        return ok(page(call, [retiring], found, self._access.shown))

    def retire(self, call: KmsCall) -> Response:
        """RetireGrant, by token or by key ARN and grant id."""
        key, grant = self._named(call)
        self._access.require_retiring(call, key, grant)
        return call.conclude(lambda: self._end(key, grant))

    def revoke(self, call: KmsCall) -> Response:
        """RevokeGrant."""
        key = self._access.key(call)
        self._access.require(call, key, Asked("RevokeGrant", context=_BY_HAND))
        grant = _existing(key, call.parameters["GrantId"])
        return call.conclude(lambda: self._end(key, grant))

    def _end(self, key: Key, grant: Grant) -> dict[str, Any]:
        self._access.grants.end(key.grants, grant)
        return {}

    def _named(self, call: KmsCall) -> tuple[Key, Grant]:
        given = call.parameters
        if "GrantToken" in given:
            if "KeyId" in given or "GrantId" in given:
                raise AwsError("ValidationException", "Give a grant token, or a key and a grant id.")
            if given["GrantToken"] not in self._access.grants.tokens:
                raise AwsError("InvalidGrantTokenException", "The grant token is not valid.")
            arn, grant_id = self._access.grants.tokens[given["GrantToken"]]
            key = self._access.keys.by_arn[arn]
            return key, _existing(key, grant_id)
        if "KeyId" not in given or "GrantId" not in given:
            raise AwsError("ValidationException", "Give a grant token, or a key and a grant id.")
        if not given["KeyId"].startswith("arn:"):
            raise AwsError("InvalidArnException", "RetireGrant takes the key's ARN.")
        key = self._access.key(call)
        return key, _existing(key, given["GrantId"])

    def _principal(self, arn: str) -> str:
        resolved = self._access.directory.resolve(arn)
        if resolved is None:
            raise AwsError("InvalidArnException", "ARN does not refer to a valid principal")
        return resolved


# True only where an AWS service calls for somebody.
_BY_HAND = {"kms:GrantIsForAWSResource": False}


def _context(given: Mapping[str, Any], constraints: Mapping[str, object]) -> dict[str, object]:
    context: dict[str, object] = {
        **_BY_HAND,
        "kms:GrantOperations": list(given["Operations"]),
        "kms:GranteePrincipal": given["GranteePrincipal"],
    }
    if "RetiringPrincipal" in given:
        context["kms:RetiringPrincipal"] = given["RetiringPrincipal"]
    if constraints:
        context["kms:GrantConstraintType"] = next(iter(constraints))
    return context


def _check_grant_id(grant_id: str) -> None:
    if not _GRANT_ID.fullmatch(grant_id):
        raise AwsError("InvalidGrantIdException", "The grant id is not valid.")


def _existing(key: Key, grant_id: str) -> Grant:
    _check_grant_id(grant_id)
    if grant_id not in key.grants.by_id:
        raise AwsError("NotFoundException", f"Grant ID {grant_id} not found")
    return key.grants.by_id[grant_id]
