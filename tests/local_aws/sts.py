"""STS: who somebody is, and the sessions of roles whose trust policy lets somebody in."""

import re
from collections.abc import Mapping

from tests.local_aws.answers import AwsError, Response, broken, invalid, missing, query_ok
from tests.local_aws.authority import Authority
from tests.local_aws.identities import Credentials, request_context

_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_ROLE_ARN = re.compile(r"arn:aws:iam::\d{12}:role/([\x21-\x7e]+/)?[\w+=,.@-]{1,64}", re.ASCII)
_SHORTEST_ARN = 20
_EXPIRES = "2099-01-01T00:00:00Z"


class Sts:
    """GetCallerIdentity and AssumeRole."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def handle(self, caller: Credentials, operation: str, form: Mapping[str, str]) -> Response:
        """The answer to a call. Raises AwsError."""
        if operation == "GetCallerIdentity":
            # AWS answers this to everybody, even against a Deny.
            user_id = request_context(self._authority.directory, caller)["aws:userid"]
            return query_ok(operation, {"UserId": user_id, "Account": caller.account, "Arn": caller.arn})
        if operation == "AssumeRole":
            return self._assume(caller, form)
        raise AwsError("InvalidAction", f"This STS has no {operation}")

    def _assume(self, caller: Credentials, form: Mapping[str, str]) -> Response:
        arn, session = _given(form, "RoleArn", _SHORTEST_ARN), _given(form, "RoleSessionName", 2)
        if not _SESSION_NAME.fullmatch(session):
            raise AwsError("ValidationError", f"{session} is invalid")
        if not _ROLE_ARN.fullmatch(arn):
            raise AwsError("ValidationError", f"{arn} is invalid")
        role = self._authority.directory.principals.get(arn)
        if role is None or role.trust is None or caller.root:
            words = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            raise AwsError("AccessDenied", words, 403)
        context = {"sts:RoleSessionName": session}
        if "ExternalId" in form:
            context["sts:ExternalId"] = form["ExternalId"]
        self._authority.require(caller, "sts:AssumeRole", arn, context, resource_policy=role.trust)
        made = self._authority.directory.session(role, session)
        keys = {
            "AccessKeyId": made.access_key_id,
            "SecretAccessKey": made.secret_access_key,
            "SessionToken": made.session_token,
            "Expiration": _EXPIRES,
        }
        user = {"AssumedRoleId": f"{role.unique_id}:{session}", "Arn": made.arn}
        return query_ok("AssumeRole", {"Credentials": keys, "AssumedRoleUser": user})


def _given(form: Mapping[str, str], name: str, shortest: int) -> str:
    value, member = form.get(name), f"{name[0].lower()}{name[1:]}"
    if value is None:
        raise invalid(missing(member), code="ValidationError")
    if len(value) < shortest:
        fault = broken(member, value, f"Member must have length greater than or equal to {shortest}")
        raise invalid(fault, code="ValidationError")
    return value
