"""Aliases, and the listings of an account's keys: policies decide on alias and key."""

from collections.abc import Callable
from datetime import datetime

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.kms.access import Access, Asked, KmsCall
from tests.local_aws.kms.keys import Alias, Key
from tests.local_aws.kms.pages import Limits, page

_OF_KEYS, _OF_ALIASES = Limits(100, 1000), Limits(50, 100)
_MOST = 50


class Aliases:
    """CreateAlias, UpdateAlias, DeleteAlias, ListAliases, ListKeys."""

    def __init__(self, access: Access, region: str, clock: Callable[[], datetime]) -> None:
        self._access, self._region, self._clock = access, region, clock

    def create(self, call: KmsCall) -> Response:
        """CreateAlias."""
        name, key = call.parameters["AliasName"], self._access.key(call, "TargetKeyId")
        _check_name(name)
        self._require(call, name, key)
        key.require_not_pending()
        if self._access.keys.aliased(call.caller.account, name):
            arn = self._arn(call.caller.account, name)
            raise AwsError("AlreadyExistsException", f"An alias with the name {arn} already exists")
        if len(key.aliases) >= _MOST:
            raise AwsError("LimitExceededException", f"{key.arn} has {_MOST} aliases.")
        key.aliases[name] = Alias(self._clock(), self._clock())
        return ok({})

    def update(self, call: KmsCall) -> Response:
        """UpdateAlias, which also needs the right on the key that the alias leaves."""
        name, key = call.parameters["AliasName"], self._access.key(call, "TargetKeyId")
        old = self._existing(call, name)
        self._require(call, name, old, key)
        key.require_not_pending()
        if (old.kind, old.usage) != (key.kind, key.usage):
            words = f"{name} stays with keys of its type and usage: {old.arn} and {key.arn} differ in them."
            raise AwsError("ValidationException", words)
        alias = old.aliases.pop(name)
        key.aliases[name] = Alias(alias.created, self._clock())
        return ok({})

    def delete(self, call: KmsCall) -> Response:
        """DeleteAlias."""
        name = call.parameters["AliasName"]
        key = self._existing(call, name)
        self._require(call, name, key)
        del key.aliases[name]
        return ok({})

    def list(self, call: KmsCall) -> Response:
        """ListAliases."""
        self._access.require_keyless(call)
        account, named = call.caller.account, call.parameters.get("KeyId")
        keys = [self._access.key(call)] if named else self._access.keys.of(account)
        listed = [
            {
                "AliasName": name,
                "AliasArn": self._arn(account, name),
                "TargetKeyId": key.key_id,
                "CreationDate": alias.created.timestamp(),
                "LastUpdatedDate": alias.updated.timestamp(),
            }
            for key in keys
            for name, alias in key.aliases.items()
            if key.account == account
        ]
        listed.sort(key=lambda alias: str(alias["AliasName"]))
        return ok(page(call, "Aliases", listed, _OF_ALIASES, [named]))

    def list_keys(self, call: KmsCall) -> Response:
        """ListKeys."""
        self._access.require_keyless(call)
        keys = self._access.keys.of(call.caller.account)
        listed = [{"KeyId": key.key_id, "KeyArn": key.arn} for key in keys]
        return ok(page(call, "Keys", listed, _OF_KEYS))

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
    """Raises AwsError; the shape's pattern lets a colon pass, which no alias has."""
    if not name.startswith("alias/") or name == "alias/":
        where = "Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        raise AwsError("ValidationException", f'Alias must start with the prefix "alias/". {where}')
    if ":" in name:
        raise AwsError("ValidationException", f"{name} contains invalid characters for an alias")
    if name.startswith("alias/aws/"):
        raise AwsError("NotAuthorizedException", "alias/aws/ is AWS's own.")
