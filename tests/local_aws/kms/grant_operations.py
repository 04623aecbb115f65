"""CreateGrant, ListGrants, ListRetirableGrants, RetireGrant, RevokeGrant."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.kms.access import Access, Asked, KmsCall
from tests.local_aws.kms.grants import LIMIT, Grant
from tests.local_aws.kms.keys import Key
from tests.local_aws.kms.listing import Listing
from tests.local_aws.kms.pages import grant_page
from tests.local_aws.kms.parameters import check_constraints, check_operations, check_principals

_GRANT_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)


class GrantOperations:
    """The operations on grants; none of them takes an alias."""

    def __init__(self, access: Access, clock: Callable[[], datetime]) -> None:
        self._access, self._clock = access, clock

    def create(self, call: KmsCall) -> Response:
        """CreateGrant."""
        given = call.parameters
        check_principals(given)
        check_constraints(given, self._access.readings)
        key = self._access.key(call)
        self._access.require(call, key, Asked("CreateGrant", _pairs(given), _context(given)))
        check_operations(given, key)
        key.require_enabled()
        ids = self._ids(given)
        wanted = {k: v for k, v in given.items() if k not in ("DryRun", "GrantTokens")} | {"KeyId": key.arn}
        issuer = call.caller.account
        if key.grants.full and key.grants.repeated(wanted, ids, issuer) is None:
            raise AwsError("LimitExceededException", f"{key.arn} has reached its limit of {LIMIT} grants.")

        def answer() -> dict[str, Any]:
            grant, token = self._access.grants.create(key.grants, wanted, ids, issuer, self._clock())
            return {"GrantId": grant.grant_id, "GrantToken": token}

        return call.conclude(answer)

    def _ids(self, given: Mapping[str, Any]) -> tuple[str, str | None]:
        """What the grant holds of grantee and retiring principal: a service is its name."""
        grantee = given.get("GranteeServicePrincipal") or self._principal(given["GranteePrincipal"])
        retiring = given.get("RetiringServicePrincipal")
        if "RetiringPrincipal" in given:
            retiring = self._principal(given["RetiringPrincipal"])
        return grantee, retiring

    def list(self, call: KmsCall) -> Response:
        """ListGrants."""
        _check_filters(call, "GranteePrincipal", "GranteeServicePrincipal")
        given, key = call.parameters, self._access.key(call)
        self._access.require(call, key, Asked("ListGrants", context=_BY_HAND))
        found = key.grants.listing
        if "GranteePrincipal" in given:
            wanted = self._access.directory.resolve(given["GranteePrincipal"]) or given["GranteePrincipal"]
            grantee = key.grants.by_grantee.get(wanted)
            found = grantee.listing if grantee else Listing()
        if "GrantId" in given:
            _check_grant_id(given["GrantId"])
            one = key.grants.by_id.get(given["GrantId"]) or key.grants.ended.get(given["GrantId"])
            kept = one if one and ("GranteePrincipal" not in given or one.place in found) else None
            found = Listing.of(kept.place, kept) if kept else Listing()
        scope = [key.arn, given.get("GranteePrincipal"), given.get("GrantId")]
        return ok(grant_page(call, scope, found, self._access.shown, self._access.propagation.knows))

    def list_retirable(self, call: KmsCall) -> Response:
        """ListRetirableGrants: across keys and accounts, for a principal of the caller's account.

        Authorised on the retiring principal's ARN; on whose keys the grants are does not matter.
        """
        _check_filters(call, "RetiringPrincipal", "RetiringServicePrincipal", needed=True)
        retiring = call.parameters["RetiringPrincipal"]
        self._access.require_keyless(call, resource=retiring)
        found = self._access.grants.retirable.get(self._principal(retiring), Listing())
        return ok(grant_page(call, [retiring], found, self._access.shown, self._access.propagation.knows))

    def retire(self, call: KmsCall) -> Response:
        """RetireGrant, by token or by key ARN and grant id."""
        key, grant = self._named(call)
        self._access.require_retiring(call, key, grant)
        return call.conclude(lambda: self._end(key, grant))

    def revoke(self, call: KmsCall) -> Response:
        """RevokeGrant."""
        key = self._access.key(call)
        self._access.require(call, key, Asked("RevokeGrant", context=_BY_HAND))
        grant = self._existing(key, call.parameters["GrantId"])
        return call.conclude(lambda: self._end(key, grant))

    def _end(self, key: Key, grant: Grant) -> dict[str, Any]:
        key.grants.end(grant)
        self._access.propagation.note_end(key.grants, grant)
        self._access.forget_ended()
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
            return key, self._existing(key, grant_id, passed=[grant_id])
        if "KeyId" not in given or "GrantId" not in given:
            raise AwsError("ValidationException", "Give a grant token, or a key and a grant id.")
        if not given["KeyId"].startswith("arn:"):
            raise AwsError("InvalidArnException", "RetireGrant takes the key's ARN.")
        key = self._access.key(call)
        return key, self._existing(key, given["GrantId"])

    def _existing(self, key: Key, grant_id: str, passed: Sequence[str] = ()) -> Grant:
        _check_grant_id(grant_id)
        grant = key.grants.by_id.get(grant_id)
        if grant is None or not self._access.propagation.knows(grant, passed):
            raise AwsError("NotFoundException", f"Grant ID {grant_id} not found")
        return grant

    def _principal(self, arn: str) -> str:
        resolved = self._access.directory.resolve(arn)
        if resolved is None:
            raise AwsError("InvalidArnException", "ARN does not refer to a valid principal")
        return resolved


# True only where an AWS service calls for somebody.
_BY_HAND = {"kms:GrantIsForAWSResource": False}


# Parameters that are condition keys of the same name.
_CONDITIONS = (
    "GranteePrincipal",
    "RetiringPrincipal",
    "GranteeServicePrincipal",
    "RetiringServicePrincipal",
)


def _pairs(given: Mapping[str, Any]) -> Mapping[str, str]:
    """The encryption context pairs of the new grant's constraint."""
    constraints = given.get("Constraints", {})
    found: Mapping[str, str] = next((c for c in constraints.values() if isinstance(c, dict)), {})
    return found


def _context(given: Mapping[str, Any]) -> dict[str, object]:
    context: dict[str, object] = {**_BY_HAND, "kms:GrantOperations": list(given["Operations"])}
    context |= {f"kms:{name}": given[name] for name in _CONDITIONS if name in given}
    for kind, wanted in given.get("Constraints", {}).items():
        context["kms:GrantConstraintType"] = kind
        if kind == "SourceArn":
            context["kms:GrantConstraintSourceArn"] = wanted
    return context


def _check_filters(call: KmsCall, principal: str, service: str, *, needed: bool = False) -> None:
    """Raises ValidationException for both filters, or none where one is needed."""
    given = [name for name in (principal, service) if name in call.parameters]
    if len(given) > 1 or (needed and not given):
        words = f"You must specify either {principal} or {service}, but not both."
        raise AwsError("ValidationException", words)
    # Reading, unconfirmed: the error for a caller who is no AWS service.
    if service in given:
        raise AwsError("AccessDeniedException", f"{service} is for callers in a service principal only.")


def _check_grant_id(grant_id: str) -> None:
    if not _GRANT_ID.fullmatch(grant_id):
        raise AwsError("InvalidGrantIdException", "The grant id is not valid.")
