"""What an approver sees of a request besides the request itself."""

from dataclasses import dataclass

from grant_broker.domain.continuity import Holding
from grant_broker.domain.key_usage import LastUse
from grant_broker.domain.request import GrantRequest


@dataclass(frozen=True)
class SeenRequest:
    """A request with the votes given and needed (None where its key is not registered), the grantee's other
    live grants on the key, and whether whoever looks may decide on it.

    `last_use` is the key's, None where it was not asked for or KMS does not tell it.
    """

    request: GrantRequest
    given: int
    needed: int | None
    others: tuple[Holding, ...]
    may_decide: bool = False
    last_use: LastUse | None = None
