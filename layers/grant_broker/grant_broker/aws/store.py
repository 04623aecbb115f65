"""The records of both tables, read by key."""

from collections.abc import Collection
from functools import cached_property
from typing import Literal

from grant_broker.aws.attributes import serialized
from grant_broker.aws.blocks import Blocks
from grant_broker.aws.dynamodb import Write
from grant_broker.aws.items import readable
from grant_broker.aws.lists import Lists
from grant_broker.aws.places import Places
from grant_broker.aws.request_store import NEW, Condition, RequestStore, put_item
from grant_broker.domain.accounts import Account
from grant_broker.domain.approvals import Approval
from grant_broker.domain.errors import NotFound
from grant_broker.domain.keys import Key
from grant_broker.domain.texts import is_id

Label = Literal["name", "key_id"]


class Store(RequestStore):
    """What several functions read of both tables. What one of them alone reads is made from `tables` there.

    Reads by key are consistent; `find_…` gives None, `get_…` raises NotFound.
    """

    @cached_property
    def blocks(self) -> Blocks:
        """The blocks of the kill switch."""
        return Blocks(self.tables)

    @cached_property
    def lists(self) -> Lists:
        """What is found by an index."""
        return Lists(self.tables)

    @cached_property
    def places(self) -> Places:
        """Where passes over many records go on."""
        return Places(self.tables)

    def find_all_votes(self, request_ids: Collection[str]) -> dict[str, Approval]:
        """Find the votes on each of these requests, by its id; those that cannot be read are logged."""
        keys = [(f"request#{name}", "approval") for name in request_ids]
        items = self.database.get_many(self.tables.approval_table, keys)
        return {votes.id: votes for votes in readable(Approval, items)}

    def find_votes(self, request_id: str) -> Approval | None:
        """Find the votes on one request."""
        return self._find(Approval, f"request#{request_id}")

    def find_approval(self, approval_id: str) -> Approval | None:
        """Find a standing approval."""
        return self._find(Approval, f"approval#{approval_id}")

    def get_approval(self, approval_id: str) -> Approval:
        """Get a standing approval."""
        approval = self.find_approval(approval_id) if is_id(approval_id) else None
        if approval is None:
            raise NotFound("there is no such approval")
        return approval

    def find_key(self, key_arn: str) -> Key | None:
        """Find a key in the register, open or closed."""
        return self._find(Key, f"key#{key_arn}")

    def get_key(self, key_arn: str) -> Key:
        """Get a key in the register, open or closed."""
        key = self.find_key(key_arn)
        if key is None:
            raise NotFound("there is no such key")
        return key

    def find_account(self, account: str) -> Account | None:
        """Find what the security team says, or said, of an account."""
        return self._find(Account, f"account#{account}")

    def find_key_named(self, name: str) -> Key | None:
        """Find a key by its ARN, or by the name that it bears now."""
        key_arn = self.find_key_arn(name)
        return self.find_bearer(key_arn, name) if key_arn else None

    def find_key_arn(self, name: str) -> str | None:
        """Find the ARN of the key that bears, or bore last, a name; an ARN is its own."""
        return name if name.startswith("arn:") else self.find_label("name", name)

    def find_bearer(self, key_arn: str, name: str) -> Key | None:
        """Find a key if it bears a name, or if that is its ARN."""
        key = self.find_key(key_arn)
        # The last bearer may have been given another name since.
        return key if key and name in {key_arn, key.document.name} else None

    def find_label(self, label: Label, text: str) -> str | None:
        """Find the ARN of the key that bears, or bore last, a name or a key id."""
        item = self.database.get(self.tables.approval_table, f"{label}#{text}", label)
        return item["key_arn"] if item else None

    def put_label(self, label: Label, text: str, key_arn: str, *, borne_by: str | None) -> Write:
        """Make the write, for `commit`, that gives a label to a key, provided that `borne_by` bears it still.

        `borne_by` is None for a label that no key has borne.
        """
        item = serialized({"pk": f"{label}#{text}", "sk": label, "key_arn": key_arn})
        condition = Condition("key_arn = :bearer", {":bearer": borne_by}) if borne_by else NEW
        return put_item(self.tables.approval_table, item, condition)
