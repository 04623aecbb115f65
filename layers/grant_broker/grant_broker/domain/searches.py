"""What the security team looks for: requests and events, by what they are about, by whom and when."""

from datetime import datetime
from typing import NamedTuple

from grant_broker.domain.arns import account_of
from grant_broker.domain.people import holder


class RequestSearch(NamedTuple):
    """Requests of an account, a status, a key, a grantee, a requester, submitted since; None: any.

    `answer_by_first`: those whose answer is due first, instead of the newest. A stack gives every request the
    same time to be answered, so it is the order of their submission.
    """

    account: str | None = None
    status: str | None = None
    key_arn: str | None = None
    grantee: str | None = None
    requester: str | None = None
    since: datetime | None = None
    answer_by_first: bool = False

    @property
    def only_account(self) -> str | None:
        """The account that all of them are of: a requester's and a grantee's own, too."""
        principal = self.requester or self.grantee
        return self.account or (account_of(principal) if principal else None)

    def accepts(self, *, account: str, status: str, key_arn: str, grantee: str, requester: str) -> bool:
        """Whether this request is looked for, whenever it was submitted."""
        return (
            self.account in {None, account}
            and self.status in {None, status}
            and self.key_arn in {None, key_arn}
            and is_principal(grantee, self.grantee)
            and is_principal(requester, self.requester)
        )


class EventSearch(NamedTuple):
    """Events from `since` up to but without `until`, of a type, by somebody, about a key or an account."""

    since: datetime | None = None
    until: datetime | None = None
    event_type: str | None = None
    by: str | None = None
    key_arn: str | None = None
    account: str | None = None
    newest_first: bool = False

    def accepts(self, *, event_type: str, by: str) -> bool:
        """Whether this event is looked for by what it says itself."""
        return self.event_type in {None, event_type} and is_principal(by, self.by)


def is_principal(principal: str, wanted: str | None) -> bool:
    """Whether a principal is the one that is looked for. A role stands for all of its sessions.

    A role is told by account and name: STS ARNs leave its path out.
    """
    if wanted is None or principal == wanted:
        return True
    return ":role/" in wanted and holder(principal) == holder(wanted)
