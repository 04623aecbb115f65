"""Aliases, and the listings of an account's keys: moto holds them, policies decide on alias and key."""

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.kms.access import Access, Asked, KmsCall
from tests.local_aws.kms.keys import Key


class Aliases:
    """CreateAlias, UpdateAlias, DeleteAlias, ListAliases, ListKeys and GenerateRandom."""

    def __init__(self, access: Access, region: str) -> None:
        self._access, self._region = access, region

    def create(self, call: KmsCall) -> Response:
        """CreateAlias."""
        name, key = call.parameters["AliasName"], self._access.key(call, "TargetKeyId")
        _check_name(name)
        self._require(call, name, key)
        key.require_not_pending()
        if self._access.keys.aliased(call.caller.account, name):
            raise AwsError("AlreadyExistsException", f"An alias with the name {name} already exists")
        self._access.keys.backend(key.account).create_alias(key.moto.id, name)
        return ok({})

    def update(self, call: KmsCall) -> Response:
        """UpdateAlias, which also needs the right on the key that the alias leaves."""
        name, key = call.parameters["AliasName"], self._access.key(call, "TargetKeyId")
        old = self._existing(call, name)
        self._require(call, name, old, key)
        key.require_not_pending()
        self._access.keys.backend(key.account).update_alias(key.moto.id, name)
        return ok({})

    def delete(self, call: KmsCall) -> Response:
        """DeleteAlias."""
        name = call.parameters["AliasName"]
        key = self._existing(call, name)
        self._require(call, name, key)
        self._access.keys.backend(key.account).delete_alias(name)
        return ok({})

    def list(self, call: KmsCall) -> Response:
        """ListAliases, in one page."""
        self._access.require_keyless(call)
        account = call.caller.account
        keys = [self._access.key(call)] if "KeyId" in call.parameters else self._access.keys.of(account)
        listed = [
            {"AliasName": name, "AliasArn": self._arn(account, name), "TargetKeyId": key.moto.id}
            for key in keys
            for name in key.moto.aliases
            if key.account == account
        ]
        return ok({"Aliases": sorted(listed, key=lambda alias: alias["AliasName"]), "Truncated": False})

    def list_keys(self, call: KmsCall) -> Response:
        """ListKeys, in one page."""
        self._access.require_keyless(call)
        keys = self._access.keys.of(call.caller.account)
        return ok({"Keys": [{"KeyId": key.moto.id, "KeyArn": key.arn} for key in keys], "Truncated": False})

    def _existing(self, call: KmsCall, name: str) -> Key:
        _check_name(name)
        return self._access.keys.find(call.caller.account, name, aliases=True)

    def _require(self, call: KmsCall, name: str, *keys: Key) -> None:
        self._access.require_keyless(call, resource=self._arn(call.caller.account, name))
        for key in keys:
            self._access.require(call, key, Asked(call.operation))

    def _arn(self, account: str, name: str) -> str:
        return f"arn:aws:kms:{self._region}:{account}:{name}"


def _check_name(name: str) -> None:
    if not name.startswith("alias/"):
        raise AwsError("ValidationException", "Invalid identifier")
    if name.startswith("alias/aws/"):
        raise AwsError("NotAuthorizedException", "alias/aws/ is AWS's own.")
