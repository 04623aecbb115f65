"""The keys of all accounts, each with its material, key policy and grants."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tests.local_aws.answers import AwsError
from tests.local_aws.kms.grants import KeyGrants
from tests.local_aws.kms.key_policies import KeyPolicy
from tests.local_aws.kms.material import Material, PrivateKey
from tests.local_aws.kms.specs import MAC, SYMMETRIC

_ARN = re.compile(r"arn:aws:kms:([a-z0-9-]+):(\d{12}):(key|alias)/(.+)", re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}", re.ASCII)


class MissingElsewhereError(Exception):
    """A key or alias of another account does not exist, which its caller must not learn."""

    def __init__(self, arn: str) -> None:
        super().__init__(arn)
        self.arn = arn


@dataclass
class Alias:
    """A name of a key."""

    created: datetime
    updated: datetime


@dataclass
class Rotation:
    """Automatic rotation of a key's material, which here only its dates tell of."""

    enabled_at: datetime
    period_days: int


@dataclass(frozen=True)
class LastUse:
    """A key's last successful cryptographic operation, and CloudTrail's event of it."""

    operation: str
    at: datetime
    event_id: str
    request_id: str


@dataclass(eq=False)
class Key:
    """A key. Symmetric and HMAC keys have `materials`, the current one last; the others `private`."""

    arn: str
    spec: str
    usage: str
    description: str
    multi_region: bool
    created: datetime
    policy: KeyPolicy
    materials: list[Material] = field(default_factory=list)
    private: PrivateKey | None = None
    state: Literal["Enabled", "Disabled", "PendingDeletion"] = "Enabled"
    deletion: datetime | None = None
    rotation: Rotation | None = None
    aliases: dict[str, Alias] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    grants: KeyGrants = field(default_factory=KeyGrants)
    last_use: LastUse | None = None
    shared_policy: str | None = None
    """The second policy, AWS_RAM, that Resource Access Manager alone puts."""
    primary: "Key | None" = None
    """Of a replica the key that it was made of."""
    replicas: "list[Key]" = field(default_factory=list)

    @property
    def key_id(self) -> str:
        """The key's id."""
        return self.arn.rpartition("/")[2]

    @property
    def region(self) -> str:
        """The Region that it is in."""
        return self.arn.split(":")[3]

    @property
    def account(self) -> str:
        """The account that owns it."""
        return self.arn.split(":")[4]

    @property
    def symmetric(self) -> bool:
        """Whether it is a symmetric encryption key."""
        return self.spec == SYMMETRIC

    @property
    def kind(self) -> str:
        """What UpdateAlias keeps an alias at, besides the usage."""
        return "symmetric" if self.symmetric else "HMAC" if self.usage == MAC else "asymmetric"

    @property
    def material(self) -> Material:
        """The current material of a symmetric or HMAC key."""
        return self.materials[-1]

    def context(self) -> dict[str, object]:
        """What the request context says of the key."""
        return {
            **spec_context(self.spec, self.usage),
            "kms:KeyOrigin": "AWS_KMS",
            "kms:MultiRegion": self.multi_region,
            "kms:ResourceAliases": list(self.aliases),
            **({"kms:MultiRegionKeyType": self.multi_region_type} if self.multi_region else {}),
            **{f"aws:ResourceTag/{name}": value for name, value in self.tags.items()},
        }

    @property
    def multi_region_type(self) -> str:
        """Which of a multi-Region key's kinds it is."""
        return "REPLICA" if self.primary else "PRIMARY"

    def require_enabled(self) -> None:
        """Raises DisabledException or KMSInvalidStateException."""
        if self.state == "Disabled":
            raise AwsError("DisabledException", f"{self.arn} is disabled.")
        self.require_not_pending()

    def require_not_pending(self) -> None:
        """Raises KMSInvalidStateException where the key waits for its deletion."""
        if self.state == "PendingDeletion":
            raise AwsError("KMSInvalidStateException", f"{self.arn} is pending deletion.")

    def require_usage(self, operation: str, *usages: str) -> None:
        """Raises InvalidKeyUsageException unless the key is for the operation."""
        if self.usage not in usages:
            raise self.wrong_usage(operation)

    def wrong_usage(self, operation: str) -> AwsError:
        """The refusal of an operation that the key is not for."""
        words = f"{self.arn} key usage is {self.usage} which is not valid for {operation}."
        return AwsError("InvalidKeyUsageException", words)


def spec_context(spec: str, usage: str) -> dict[str, object]:
    """Condition keys of a key's spec and usage; the older names are deprecated and still work."""
    return {
        "kms:KeySpec": spec,
        "kms:KeyUsage": usage,
        "kms:CustomerMasterKeySpec": spec,
        "kms:CustomerMasterKeyUsage": usage,
    }


class Keys:
    """All accounts' keys in one Region."""

    def __init__(self, region: str) -> None:
        self._region = region
        self.by_arn: dict[str, Key] = {}
        self.by_id: dict[str, Key] = {}

    def new_arn(self, account: str, *, multi_region: bool) -> str:
        """The ARN of a key to be made."""
        made = uuid.uuid4()
        return f"arn:aws:kms:{self._region}:{account}:key/{f'mrk-{made.hex}' if multi_region else made}"

    def add(self, key: Key) -> None:
        """Take a new key in."""
        self.by_arn[key.arn] = self.by_id[key.key_id] = key

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
        return next((key for key in self.of(account) if name in key.aliases), None)

    def _existing(self, arn: str) -> Key:
        if arn not in self.by_arn:
            raise AwsError("NotFoundException", f"Key '{arn}' does not exist")
        return self.by_arn[arn]
