"""The grant operations of KMS, strict about parameters and state.

Only these are decided here so far: RetireGrant's right of the retiring principal. Key policies, IAM
policies and grants do not decide any call yet, so nothing run on this proves a permission.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.local_stack.answers import AwsError, Response, ok
from tests.local_stack.identities import Credentials, Directory
from tests.local_stack.kms.grants import Grant, KeyGrants
from tests.local_stack.kms.parameters import check_create_grant


class Kms:
    """Grants by key ARN; moto keeps the keys themselves."""

    def __init__(self, directory: Directory, clock: Callable[[], datetime], region: str) -> None:
        self._directory, self._clock, self._region = directory, clock, region
        self.keys: dict[str, KeyGrants] = {}

    def handle(self, caller: Credentials, operation: str, parameters: dict[str, Any]) -> Response | None:
        """The answer to a grant operation, or None where moto answers."""
        operations: dict[str, Callable[[Credentials, dict[str, Any]], Response]] = {
            "CreateGrant": self._create,
            "ListGrants": self._list,
            "ListRetirableGrants": self._list_retirable,
            "RetireGrant": self._retire,
            "RevokeGrant": self._revoke,
        }
        found = operations.get(operation)
        return found(caller, parameters) if found else None

    def arn(self, caller: Credentials, key_id: str) -> str:
        """The key's ARN: grant operations take an id or an ARN, no alias; other accounts need the ARN."""
        arn = (
            key_id
            if key_id.startswith("arn:")
            else f"arn:aws:kms:{self._region}:{caller.account}:key/{key_id}"
        )
        if arn not in self.keys:
            raise AwsError("NotFoundException", f"Key '{arn}' does not exist")
        return arn

    def _create(self, caller: Credentials, parameters: dict[str, Any]) -> Response:
        arn = self.arn(caller, parameters["KeyId"])
        check_create_grant(parameters)
        grantee = self._principal(parameters["GranteePrincipal"])
        retiring = parameters.get("RetiringPrincipal")
        retiring_id = self._principal(retiring) if retiring else None
        self._dry_run(parameters)
        kept = parameters | {"KeyId": arn}
        grant = self.keys[arn].add(kept, (grantee, retiring_id), caller.account, self._clock())
        return ok({"GrantId": grant.shown["GrantId"], "GrantToken": grant.token})

    def _list(self, caller: Credentials, parameters: dict[str, Any]) -> Response:
        key = self.keys[self.arn(caller, parameters["KeyId"])]
        if "GrantId" in parameters:
            one = key.by_id.get(parameters["GrantId"])
            found = [one] if one else []
        elif "GranteePrincipal" in parameters:
            resolved = self._directory.resolve(parameters["GranteePrincipal"])
            found = list(key.by_grantee.get(resolved or "", {}).values())
        else:
            found = list(key.by_id.values())
        return ok(self._page(found, parameters))

    def _list_retirable(self, caller: Credentials, parameters: dict[str, Any]) -> Response:
        wanted = self._principal(parameters["RetiringPrincipal"])
        grants = [g for key in self.keys.values() for g in key.by_id.values() if g.retiring_id == wanted]
        del caller
        return ok(self._page(grants, parameters))

    def _retire(self, caller: Credentials, parameters: dict[str, Any]) -> Response:
        arn, grant = self._find(caller, parameters)
        # The retiring principal needs no policy. Retiring by grantee or account is refused until decided.
        mine = self._directory.resolve(caller.arn) or ""
        if grant.retiring_id not in (mine, mine.split(":")[0]):
            raise AwsError("AccessDeniedException", f"{caller.arn} may not retire this grant")
        self._dry_run(parameters)
        self.keys[arn].remove(grant.shown["GrantId"])
        return ok({})

    def _revoke(self, caller: Credentials, parameters: dict[str, Any]) -> Response:
        arn, grant = self._find(caller, parameters)
        self._dry_run(parameters)
        self.keys[arn].remove(grant.shown["GrantId"])
        return ok({})

    def _find(self, caller: Credentials, parameters: dict[str, Any]) -> tuple[str, Grant]:
        if "GrantToken" in parameters:
            for arn, key in self.keys.items():
                for grant in key.by_id.values():
                    if grant.token == parameters["GrantToken"]:
                        return arn, grant
            raise AwsError("InvalidGrantTokenException", "The grant token is invalid")
        arn = self.arn(caller, parameters["KeyId"])
        grant_id = parameters["GrantId"]
        if grant_id not in self.keys[arn].by_id:
            raise AwsError("NotFoundException", f"Grant ID {grant_id} not found")
        return arn, self.keys[arn].by_id[grant_id]

    def _principal(self, arn: str) -> str:
        resolved = self._directory.resolve(arn)
        if resolved is None:
            raise AwsError("InvalidArnException", "ARN does not refer to a valid principal")
        return resolved

    def _dry_run(self, parameters: dict[str, Any]) -> None:
        if parameters.get("DryRun"):
            raise AwsError("DryRunOperationException", "The request would have succeeded")

    def shown(self, grant: Grant) -> dict[str, Any]:
        """A grant as listed; a principal that is gone appears as its unique id."""
        answer = dict(grant.shown)
        for name, was in (("GranteePrincipal", grant.grantee_id), ("RetiringPrincipal", grant.retiring_id)):
            if was and self._directory.resolve(answer[name]) != was:
                answer[name] = was.split(":")[0]
        return answer

    def _page(self, grants: list[Grant], parameters: dict[str, Any]) -> dict[str, Any]:
        limit = parameters.get("Limit", 50)
        if not 1 <= limit <= 100:
            raise AwsError("ValidationException", "Limit must be between 1 and 100")
        marker = parameters.get("Marker", "0")
        if not marker.isdigit():
            raise AwsError("InvalidMarkerException", "The marker is invalid")
        start = int(marker)
        answer: dict[str, Any] = {"Grants": [self.shown(g) for g in grants[start : start + limit]]}
        answer["Truncated"] = start + limit < len(grants)
        return answer | ({"NextMarker": str(start + limit)} if answer["Truncated"] else {})
