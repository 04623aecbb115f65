"""The keys and what can be done to them behind the broker's back, as the account's root."""

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from tests.local_aws.cloud import Cloud


def key_id(arn: str) -> str:
    """The last part of a key's ARN."""
    return arn.rpartition("/")[2]


def path_of(arn: str) -> str:
    """Where a key's limits are, whether it is registered or not."""
    return f"/security/keys/{arn.split(':')[3]}:{key_id(arn)}"


class Keys:
    """Keys by name, of one Region or several, all with one policy."""

    def __init__(self, cloud: Cloud, arns: Mapping[str, str], policy: Mapping[str, Any]) -> None:
        self.arns, self.cloud, self._policy = arns, cloud, policy
        root = cloud.session(cloud.root())
        regions = {arn.split(":")[3] for arn in arns.values()}
        self._in = {region: root.client("kms", region_name=region) for region in regions}
        self._broken: set[str] = set()

    def _root(self, arn: str) -> Any:
        """KMS of a key's Region, as the account's root."""
        return self._in[arn.split(":")[3]]

    def end_grants(self, prefix: str = "") -> None:
        """Take every grant back whose name begins so."""
        for arn in self.arns.values():
            for grant in self.cloud.grants(arn):
                if grant.get("Name", "").startswith(prefix):
                    self._root(arn).revoke_grant(KeyId=arn, GrantId=grant["GrantId"])

    def plant(self, name: str, **parameters: Any) -> str:
        """A grant of somebody else, made by the account's root user; its id."""
        given = {"Operations": ["Decrypt"], **parameters}
        return str(self._root(self.arns[name]).create_grant(KeyId=self.arns[name], **given)["GrantId"])

    def break_(self, name: str, how: str) -> None:
        """Disable a key, schedule its deletion, or take the broker's statements out of its policy."""
        arn = self.arns[name]
        self._mended(arn)
        self._broken.add(arn)
        if how == "key disabled":
            self._root(arn).disable_key(KeyId=key_id(arn))
        elif how == "key pending deletion":
            self._root(arn).schedule_key_deletion(KeyId=key_id(arn), PendingWindowInDays=7)
        else:
            policy = deepcopy(dict(self._policy))
            policy["Statement"] = [entry for entry in policy["Statement"] if entry["Sid"] == "AccountRoot"]
            self._put(arn, policy)

    def shut(self) -> None:
        """Note that every key's policy is to be put again: a principal that it names was recreated."""
        self._broken |= set(self.arns.values())

    def mend(self) -> None:
        """Every key as it was."""
        for arn in self._broken:
            self._mended(arn)
        self._broken = set()

    def _mended(self, arn: str) -> None:
        if arn not in self._broken:
            return
        if self._root(arn).describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion":
            self._root(arn).cancel_key_deletion(KeyId=key_id(arn))
        self._root(arn).enable_key(KeyId=key_id(arn))
        self._put(arn, self._policy)

    def _put(self, arn: str, policy: Mapping[str, Any]) -> None:
        self._root(arn).put_key_policy(KeyId=key_id(arn), PolicyName="default", Policy=json.dumps(policy))
