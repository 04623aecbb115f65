"""The keys: moto's, each with its key policy and its grants."""

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.kms.models import kms_backends

from tests.local_aws.answers import AwsError
from tests.local_aws.identities import Directory
from tests.local_aws.kms.grants import KeyGrants
from tests.local_aws.kms.key_policies import KeyPolicy

_ARN = re.compile(r"arn:aws:kms:([a-z0-9-]+):(\d{12}):(key|alias)/(.+)", re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}", re.ASCII)


class MissingElsewhereError(Exception):
    """A key or alias of another account does not exist, which its caller must not learn."""

    def __init__(self, arn: str) -> None:
        super().__init__(arn)
        self.arn = arn


@dataclass
class Key:
    """A key: `moto` is moto's, which holds material, state, aliases and tags."""

    moto: Any
    policy: KeyPolicy
    grants: KeyGrants = field(default_factory=KeyGrants)

    @property
    def arn(self) -> str:
        """The key's ARN."""
        return str(self.moto.arn)

    @property
    def account(self) -> str:
        """The account that owns it."""
        return str(self.moto.account_id)

    @property
    def by_id(self) -> dict[str, Any]:
        """Its grants."""
        return self.grants.by_id

    @property
    def symmetric(self) -> bool:
        """Whether it is a symmetric encryption key."""
        return bool(self.moto.key_spec == "SYMMETRIC_DEFAULT")

    def context(self, tags: Mapping[str, str]) -> dict[str, object]:
        """What the request context says of the key."""
        return {
            "kms:KeySpec": self.moto.key_spec,
            "kms:KeyUsage": self.moto.key_usage,
            "kms:KeyOrigin": self.moto.origin,
            "kms:MultiRegion": self.moto.multi_region,
            "kms:ResourceAliases": list(self.moto.aliases),
            **{f"aws:ResourceTag/{name}": value for name, value in tags.items()},
        }

    def require_enabled(self) -> None:
        """Raises DisabledException or KMSInvalidStateException."""
        if self.moto.key_state == "Disabled":
            raise AwsError("DisabledException", f"{self.arn} is disabled.")
        self.require_not_pending()

    def require_not_pending(self) -> None:
        """Raises KMSInvalidStateException where the key waits for its deletion."""
        if self.moto.key_state == "PendingDeletion":
            raise AwsError("KMSInvalidStateException", f"{self.arn} is pending deletion.")


class Keys:
    """All accounts' keys in one Region."""

    def __init__(self, directory: Directory, region: str) -> None:
        self._directory, self._region = directory, region
        self.by_arn: dict[str, Key] = {}
        self.by_id: dict[str, Key] = {}

    def backend(self, account: str) -> Any:
        """moto's KMS of an account."""
        return kms_backends[account][self._region]

    def take_in(self, moto_key: Any, policy: str) -> Key:
        """A key that moto has just made."""
        made = Key(moto_key, KeyPolicy(self._directory, policy))
        self.by_arn[made.arn] = self.by_id[moto_key.id] = made
        return made

    def forget(self, key: Key) -> None:
        """As if it had never been made."""
        del self.by_arn[key.arn], self.by_id[key.moto.id]
        del self.backend(key.account).keys[key.moto.id]

    def tags(self, key: Key) -> dict[str, str]:
        """The key's tags."""
        found: dict[str, str] = self.backend(key.account).tagger.get_tag_dict_for_resource(key.moto.id)
        return found

    @staticmethod
    def random(size: int) -> bytes:
        """Fresh key material."""
        return secrets.token_bytes(size)

    def of(self, account: str) -> Iterator[Key]:
        """An account's keys."""
        return (key for key in self.by_arn.values() if key.account == account)

    def find(self, account: str, key_id: str, *, aliases: bool = False) -> Key:
        """The key that a caller of this account names: by id or alias within the account, by ARN in any.

        Raises NotFoundException or InvalidArnException, and MissingElsewhereError where another account has
        no such key or alias.
        """
        if key_id.startswith("arn:"):
            return self._by_arn(account, key_id, aliases=aliases)
        if key_id.startswith("alias/") and aliases:
            return self._by_alias(account, key_id)
        if not _ID.fullmatch(key_id):
            raise AwsError("NotFoundException", f"Invalid keyId '{key_id}'")
        return self._existing(f"arn:aws:kms:{self._region}:{account}:key/{key_id}")

    def _by_arn(self, account: str, arn: str, *, aliases: bool) -> Key:
        match = _ARN.fullmatch(arn)
        if match is None or (match[3] == "alias" and not aliases):
            raise AwsError("InvalidArnException", f"{arn} is not a valid ARN of a key")
        if match[1] != self._region:
            raise AwsError("NotFoundException", f"Invalid arn {match[1]}")
        try:
            is_alias = match[3] == "alias"
            return self._by_alias(match[2], f"alias/{match[4]}") if is_alias else self._existing(arn)
        except AwsError as error:
            if match[2] != account:
                raise MissingElsewhereError(arn) from error
            raise

    def _by_alias(self, account: str, name: str) -> Key:
        key = self.aliased(account, name)
        if key is None:
            arn = f"arn:aws:kms:{self._region}:{account}:{name}"
            raise AwsError("NotFoundException", f"Alias {arn} is not found.")
        return key

    def aliased(self, account: str, name: str) -> Key | None:
        """The key behind an alias of an account."""
        return next((key for key in self.of(account) if name in key.moto.aliases), None)

    def _existing(self, arn: str) -> Key:
        if arn not in self.by_arn:
            raise AwsError("NotFoundException", f"Key '{arn}' does not exist")
        return self.by_arn[arn]
