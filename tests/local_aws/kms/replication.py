"""ReplicateKey: a multi-Region key's replica has its id and material; all else, grants too, is its own."""

from collections.abc import Callable, Mapping
from datetime import datetime

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.kms.access import Access, Asked, KmsCall
from tests.local_aws.kms.administration import described
from tests.local_aws.kms.key_policies import KeyPolicy, check, default_policy
from tests.local_aws.kms.keys import Key
from tests.local_aws.kms.policy_operations import BYPASS, bypass_context, check_lockout
from tests.local_aws.kms.tags import read_tags, tag_context


class Replication:
    """Replicates keys into the Regions of `accesses`.

    Their settings that AWS keeps alike (key id, material, spec, usage, rotation) are alike from the start; a
    rotation's dates that come later are not.
    """

    def __init__(self, access: Access, clock: Callable[[], datetime], accesses: Mapping[str, Access]) -> None:
        self._access, self._clock, self._accesses = access, clock, accesses

    def replicate(self, call: KmsCall) -> Response:
        """ReplicateKey, which needs the right on the primary key, and CreateKey in the replica's Region."""
        given, key = call.parameters, self._access.key(call)
        region, tags = given["ReplicaRegion"], read_tags(given.get("Tags", []))
        asked = {"kms:ReplicaRegion": region, **bypass_context(call), **tag_context(tags)}
        self._access.require(call, key, Asked(call.operation, context=asked))
        there = self._free(key, region)
        there.require_keyless(call, "CreateKey", context={**key.context(), **tag_context(tags)})
        if tags:
            there.require_keyless(call, "TagResource", context=tag_context(tags))
        policy = given.get("Policy") or default_policy(call.caller.account)
        check(there.directory, policy)
        replica = Key(
            arn=key.arn.replace(f":{key.region}:", f":{region}:"),
            spec=key.spec,
            usage=key.usage,
            description=given.get("Description", ""),
            multi_region=True,
            created=self._clock(),
            policy=KeyPolicy(there.directory, policy),
            materials=key.materials,
            private=key.private,
            tags=tags,
            primary=key,
        )
        if not given.get(BYPASS):
            check_lockout(there, call, replica, replica.policy)
        there.keys.add(replica)
        key.replicas.append(replica)
        shown = [{"TagKey": name, "TagValue": value} for name, value in tags.items()]
        metadata = described(replica)["KeyMetadata"]
        return ok({"ReplicaKeyMetadata": metadata, "ReplicaPolicy": policy, "ReplicaTags": shown})

    def _free(self, key: Key, region: str) -> Access:
        """The Region that a key is replicated into. Raises AwsError where it cannot be."""
        if not key.multi_region or key.primary:
            words = f"{key.arn} is no multi-Region primary key."
            raise AwsError("UnsupportedOperationException", words)
        key.require_enabled()
        if region not in self._accesses or region == key.region:
            raise AwsError("ValidationException", f"{region} is no Region for a replica of {key.arn}.")
        if any(replica.region == region for replica in key.replicas):
            raise AwsError("AlreadyExistsException", f"{key.arn} has a replica in {region} already.")
        return self._accesses[region]
