"""One KMS client for each Region: a key, its grants, and KMS's quotas are of one Region."""

from collections.abc import Callable, Collection
from threading import Lock
from typing import TYPE_CHECKING

from grant_broker.domain.arns import find_region
from grant_broker.domain.errors import KmsRefused

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_MOST_UNLISTED = 20
"""Clients for Regions that are not the stack's: AWS has no more of them that a stack may have left."""


class KmsClients:
    """The clients of one role. The home Region's is made at once, the others when first asked for.

    A record may name any Region, and a forged one any number of them. `others` are the stack's: they always
    get their client, however many others were made up.
    """

    def __init__(self, make: Callable[[str], "KMSClient"], home: str, others: Collection[str] = ()) -> None:
        self._make, self._home, self._listed = make, home, frozenset({home, *others})
        # botocore's session is not safe for two threads that make clients; the clients themselves are.
        self._lock = Lock()
        self._made = {home: make(home)}

    def region_of(self, key_arn: str) -> str:
        """The Region of what a record calls its key: the home Region's KMS answers for what is no ARN."""
        return find_region(key_arn) or self._home

    def of(self, key_arn: str) -> "KMSClient":
        """The client of a key's Region; KmsRefused where there are too many Regions."""
        return self.in_region(self.region_of(key_arn))

    def in_region(self, region: str) -> "KMSClient":
        """The client of a Region; KmsRefused where there are too many Regions."""
        return self._made.get(region) or self._add(region)

    def _add(self, region: str) -> "KMSClient":
        with self._lock:
            if region not in self._made:
                unlisted = self._made.keys() - self._listed
                if region not in self._listed and len(unlisted) >= _MOST_UNLISTED:
                    raise KmsRefused("UnlistedRegion", f"{region} is none of the stack's Regions")
                self._made[region] = self._make(region)
            return self._made[region]
