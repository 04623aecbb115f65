"""Read every key and grant of an account, Region by Region, and tell them to listeners as they come."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.aws.answers import code_of
from grant_broker.aws.kms import KmsReader
from grant_broker.aws.kms_clients import KmsClients
from grant_broker.client.census.judging import GrantJudge
from grant_broker.client.census.seen import Listener, SeenKey, Tally, Unread
from grant_broker.domain.arns import region_of
from grant_broker.domain.errors import BrokerError
from grant_broker.domain.listed_grant import ListedGrant

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_KEYS = 1_000
_ALIASES = 100


class Census:
    """Tells listeners every key and grant as they are read, and keeps what could not be read in `unread`.

    What is held meanwhile is one page of keys, one of grants, the aliases of a Region, and marks of one
    key's grants.
    """

    def __init__(
        self, kms_of: Callable[[str], "KMSClient"], listeners: Sequence[Listener], now: datetime
    ) -> None:
        self._kms_of, self._listeners, self._now = kms_of, listeners, now
        self._whole = Tally()
        self.unread: list[Unread] = []

    def take(self, regions: Iterable[str]) -> None:
        """Go through these Regions; one that cannot be read keeps no other from being read."""
        for region in regions:
            try:
                kms = self._kms_of(region)
                for key in self._keys(kms, region):
                    self._tell_key(kms, key)
            except (BotoCoreError, ClientError) as error:
                self.unread.append(Unread(region, _why(error)))
        for listener in self._listeners:
            listener.end(self._whole, self.unread)

    def _keys(self, kms: "KMSClient", region: str) -> Iterator[SeenKey]:
        aliases: dict[str, list[str]] | None = None
        for page in kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": _KEYS}):
            # Asked once it is known that the Region answers: one that does not is told once.
            aliases = self._aliases(kms, region) if aliases is None else aliases
            for entry in page["Keys"]:
                try:
                    yield _describe(kms, region, entry["KeyArn"], aliases.get(entry["KeyId"], []))
                except (BotoCoreError, ClientError) as error:
                    self.unread.append(Unread(entry["KeyArn"], _why(error)))

    def _aliases(self, kms: "KMSClient", region: str) -> dict[str, list[str]]:
        """The aliases of the Region's keys by key id; none where they may not be listed."""
        found: dict[str, list[str]] = defaultdict(list)
        try:
            for page in kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": _ALIASES}):
                for alias in page["Aliases"]:
                    if "TargetKeyId" in alias:
                        found[alias["TargetKeyId"]].append(alias["AliasName"])
        except ClientError as error:
            self.unread.append(Unread(f"aliases of {region}", _why(error)))
        return found

    def _tell_key(self, kms: "KMSClient", key: SeenKey) -> None:
        judge, tally = GrantJudge(key.arn, self._now), Tally()
        for listener in self._listeners:
            listener.key(key)
        try:
            for grant in _grants(kms, key.arn):
                seen = judge.judge(grant)
                tally.add(seen)
                for listener in self._listeners:
                    listener.grant(key, seen)
        except BrokerError as error:
            self.unread.append(Unread(key.arn, str(error)))
        for listener in self._listeners:
            listener.end_of_key(key, tally)
        self._whole.take_in(tally)


def _grants(kms: "KMSClient", key_arn: str) -> Iterator[ListedGrant]:
    reader = KmsReader(KmsClients(lambda _: kms, region_of(key_arn)))
    grants, marker = reader.list_grants_page(key_arn)
    yield from grants
    while marker is not None:
        grants, marker = reader.list_grants_page(key_arn, marker=marker)
        yield from grants


def _describe(kms: "KMSClient", region: str, arn: str, aliases: Iterable[str]) -> SeenKey:
    found = kms.describe_key(KeyId=arn)["KeyMetadata"]
    return SeenKey(
        arn=arn,
        region=region,
        aliases=tuple(sorted(aliases)),
        manager=found["KeyManager"],
        state=found["KeyState"],
        spec=found["KeySpec"],
        usage=found["KeyUsage"],
        created_at=found["CreationDate"],
        last_use=KmsReader(KmsClients(lambda _: kms, region)).find_last_use(arn),
    )


def _why(error: BotoCoreError | ClientError) -> str:
    return f"{code_of(error)}: {error}"
