"""IAM and STS on the directory: roles, users and their policies, and who somebody is."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from tests.local_aws.answers import AwsError, Response, query_ok
from tests.local_aws.authority import Authority
from tests.local_aws.identities import (
    Credentials,
    Directory,
    Principal,
    check_identity_policy,
    check_trust_policy,
)

_Form = Mapping[str, str]
_KINDS = ("Role", "User")


class Iam:
    """The operations that the local stack's people need; none is moto's, whose IAM decides nothing here."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._operations: dict[str, Callable[[Credentials, _Form, Principal], dict[str, Any]]] = {
            "GetRole": lambda _caller, _form, role: {"Role": shown(role)},
            "DeleteRole": self._delete,
            "GetUser": lambda _caller, _form, user: {"User": shown(user)},
            "DeleteUser": self._delete,
            "CreateAccessKey": self._create_access_key,
            **{f"Put{kind}Policy": _put for kind in _KINDS},
            **{f"Get{kind}Policy": _get for kind in _KINDS},
            **{f"Delete{kind}Policy": _remove for kind in _KINDS},
            **{f"List{kind}Policies": _list for kind in _KINDS},
            **{f"Attach{kind}Policy": self._attach for kind in _KINDS},
            **{f"Detach{kind}Policy": _remove for kind in _KINDS},
            **{f"ListAttached{kind}Policies": _list_attached for kind in _KINDS},
            "UpdateAssumeRolePolicy": _trust,
        }

    @property
    def _directory(self) -> Directory:
        return self._authority.directory

    def handle(self, caller: Credentials, operation: str, form: _Form) -> Response:
        """The answer to a call. Raises AwsError."""
        if operation in ("CreateRole", "CreateUser"):
            return query_ok(operation, self._create(caller, operation, form))
        if operation == "CreatePolicy":
            return query_ok(operation, self._create_policy(caller, form))
        if operation == "GetAccountAuthorizationDetails":
            return query_ok(operation, self._details(caller, form))
        if operation not in self._operations:
            raise AwsError("InvalidAction", f"This IAM has no {operation}")
        kind = "Role" if "Role" in operation else "User"
        name = form.get(f"{kind}Name", caller.arn.rpartition("/")[2])
        found = next((p for p in self._of(caller.account, kind) if p.name == name), None)
        self._require(caller, operation, found.arn if found else _arn(caller.account, kind, "/", name))
        if found is None:
            raise AwsError("NoSuchEntity", f"The {kind.lower()} with name {name} cannot be found.", 404)
        return query_ok(operation, self._operations[operation](caller, form, found))

    def _of(self, account: str, kind: str) -> list[Principal]:
        mark = f":{kind.lower()}/"
        return [p for p in self._directory.principals.values() if p.account == account and mark in p.arn]

    def _require(self, caller: Credentials, operation: str, resource: str) -> None:
        self._authority.require(caller, f"iam:{operation}", resource)

    def _create(self, caller: Credentials, operation: str, form: _Form) -> dict[str, Any]:
        kind = operation.removeprefix("Create")
        name = _given(form, f"{kind}Name")
        arn = _arn(caller.account, kind, form.get("Path", "/"), name)
        self._require(caller, operation, arn)
        if any(found.name == name for found in self._of(caller.account, kind)):
            raise AwsError("EntityAlreadyExists", f"{kind} with name {name} already exists.", 409)
        trust = _trust_policy(form, "AssumeRolePolicyDocument") if kind == "Role" else None
        self._directory.add(arn, caller.account, "AROA" if kind == "Role" else "AIDA", [])
        self._directory.principals[arn].trust = trust
        return {kind: shown(self._directory.principals[arn])}

    def _create_policy(self, caller: Credentials, form: _Form) -> dict[str, Any]:
        name, path = _given(form, "PolicyName"), form.get("Path", "/")
        arn = f"arn:aws:iam::{caller.account}:policy{path}{name}"
        self._require(caller, "CreatePolicy", arn)
        if arn in self._directory.managed:
            raise AwsError("EntityAlreadyExists", f"A policy called {name} already exists.", 409)
        self._directory.managed[arn] = _identity_policy(form)
        return {"Policy": {"PolicyName": name, "Arn": arn, "Path": path, "PolicyId": "ANPA" + "A" * 17}}

    def _details(self, caller: Credentials, form: _Form) -> dict[str, Any]:
        """Users, roles and managed policies of the account, MaxItems of them from Marker on."""
        self._require(caller, "GetAccountAuthorizationDetails", "*")
        entries = [
            *(("UserDetailList", detailed(each)) for each in self._of(caller.account, "User")),
            *(("RoleDetailList", detailed(each)) for each in self._of(caller.account, "Role")),
            *(
                ("Policies", _managed(arn, document))
                for arn, document in self._directory.managed.items()
                if f"::{caller.account}:" in arn
            ),
        ]
        start, most = int(form.get("Marker", "0")), int(form.get("MaxItems", "100"))
        end = start + most
        page: dict[str, Any] = {kind: [] for kind in ("UserDetailList", "RoleDetailList", "GroupDetailList")}
        for kind, entry in entries[start:end]:
            page.setdefault(kind, []).append(entry)
        more = {"IsTruncated": True, "Marker": str(end)} if end < len(entries) else {"IsTruncated": False}
        return {"Policies": [], **page, **more}

    def _delete(self, _caller: Credentials, _form: _Form, principal: Principal) -> dict[str, Any]:
        if principal.policies:
            words = "Cannot delete entity, must delete policies first."
            raise AwsError("DeleteConflict", words, 409)
        self._directory.delete(principal.arn)
        return {}

    def _create_access_key(self, _caller: Credentials, _form: _Form, user: Principal) -> dict[str, Any]:
        made = self._directory.issue(user.arn, user.account, temporary=False)
        key = {"AccessKeyId": made.access_key_id, "SecretAccessKey": made.secret_access_key}
        return {"AccessKey": {"UserName": user.name, "Status": "Active", **key}}

    def _attach(self, _caller: Credentials, form: _Form, principal: Principal) -> dict[str, Any]:
        arn = _given(form, "PolicyArn")
        if arn not in self._directory.managed:
            raise AwsError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
        principal.attach(arn, self._directory.managed[arn])
        return {}


def shown(principal: Principal) -> dict[str, Any]:
    """A role or user as IAM shows it."""
    kind = "Role" if ":role/" in principal.arn else "User"
    path = principal.arn.partition(f":{kind.lower()}")[2].removesuffix(principal.name)
    made = {"Path": path, f"{kind}Name": principal.name, f"{kind}Id": principal.unique_id}
    trust = {"AssumeRolePolicyDocument": quote(json.dumps(principal.trust))} if principal.trust else {}
    return {**made, "Arn": principal.arn, "CreateDate": "2026-01-01T00:00:00Z", **trust}


def detailed(principal: Principal) -> dict[str, Any]:
    """A role or user with its policies, as GetAccountAuthorizationDetails shows it."""
    kind = "Role" if ":role/" in principal.arn else "User"
    inline = [
        {"PolicyName": name, "PolicyDocument": quote(json.dumps(document))}
        for name, document in principal.inline.items()
    ]
    attached = _list_attached(None, {}, principal)["AttachedPolicies"]
    return {**shown(principal), f"{kind}PolicyList": inline, "AttachedManagedPolicies": attached}


def _managed(arn: str, document: Mapping[str, Any]) -> dict[str, Any]:
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": quote(json.dumps(document))}
    name = arn.rpartition("/")[2]
    return {"PolicyName": name, "Arn": arn, "DefaultVersionId": "v1", "PolicyVersionList": [version]}


def _put(_caller: Credentials, form: _Form, principal: Principal) -> dict[str, Any]:
    principal.put(_given(form, "PolicyName"), _identity_policy(form))
    return {}


def _get(_caller: Credentials, form: _Form, principal: Principal) -> dict[str, Any]:
    name = _given(form, "PolicyName")
    if name not in principal.inline:
        raise AwsError("NoSuchEntity", f"The policy {name} cannot be found.", 404)
    kind = "Role" if ":role/" in principal.arn else "User"
    document = quote(json.dumps(principal.inline[name]))
    return {f"{kind}Name": principal.name, "PolicyName": name, "PolicyDocument": document}


def _remove(_caller: Credentials, form: _Form, principal: Principal) -> dict[str, Any]:
    name = form.get("PolicyArn") or _given(form, "PolicyName")
    if not principal.remove(name):
        raise AwsError("NoSuchEntity", f"The policy {name} cannot be found.", 404)
    return {}


def _list(_caller: Credentials, _form: _Form, principal: Principal) -> dict[str, Any]:
    return {"PolicyNames": list(principal.inline), "IsTruncated": False}


def _list_attached(_caller: Credentials | None, _form: _Form, principal: Principal) -> dict[str, Any]:
    listed = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in principal.attached]
    return {"AttachedPolicies": listed, "IsTruncated": False}


def _trust(_caller: Credentials, form: _Form, role: Principal) -> dict[str, Any]:
    role.trust = _trust_policy(form, "PolicyDocument")
    return {}


def _given(form: _Form, name: str) -> str:
    if not form.get(name):
        raise AwsError("ValidationError", f"{name} is needed")
    return form[name]


def _identity_policy(form: _Form) -> dict[str, Any]:
    return _document(_given(form, "PolicyDocument"), check_identity_policy)


def _trust_policy(form: _Form, name: str) -> dict[str, Any]:
    return _document(_given(form, name), check_trust_policy)


def _document(text: str, check: Callable[[str], None]) -> dict[str, Any]:
    try:
        check(text)
        document: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise AwsError("MalformedPolicyDocument", str(error)) from error
    return document


def _arn(account: str, kind: str, path: str, name: str) -> str:
    return f"arn:aws:iam::{account}:{kind.lower()}{path}{name}"
