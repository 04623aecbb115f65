"""A body for each model that is read: what the document shows, and a test sends as it stands."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from grant_broker.api.openapi.schemas import KeyPatch
from grant_broker.domain.accounts import AccountDocument
from grant_broker.domain.break_glass import Emergency
from grant_broker.domain.decisions import Decision, Revocation
from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.mass_revocations import MassRevocationAsked
from grant_broker.domain.question import Question
from grant_broker.domain.reviews import Look
from grant_broker.domain.standing_approval import StandingApproval
from grant_broker.domain.submission import Extension, Submission

# The account, the role and the key are the local stack's.
EXAMPLES: Mapping[type[BaseModel], dict[str, Any]] = {
    Submission: {
        "key": "partner_data",
        "grantee": "arn:aws:iam::444455556666:role/partner-application",
        "operations": ["Encrypt"],
        "encryption_context": {"dataset": "orders"},
        "duration": "PT2H",
        "reason": "nightly upload",
    },
    # Its time runs from its taking up and must end after the old grant.
    Extension: {"duration": "PT3H", "reason": "the upload takes longer"},
    Emergency: {"reason": "the store is down, and the backup must be sealed before midnight"},
    Question: {"action": "Encrypt", "context": {"dataset": "orders"}},
    Decision: {"verdict": "approve", "comment": "as agreed for the nightly upload"},
    Revocation: {"reason": "the role's credentials have leaked"},
    StandingApproval: {
        "key": "partner_data",
        "account": "444455556666",
        "operations": ["Encrypt", "GenerateDataKey"],
        "encryption_context": {"dataset": "orders"},
        "max_duration": "PT2H",
        "valid_until": "2030-06-30T00:00:00Z",
        "reason": "the nightly upload",
    },
    # Of a new key: what is left out takes its default.
    KeyDocument: {"name": "orders", "accounts": ["444455556666"], "required_context": {"dataset": "orders"}},
    KeyPatch: {"max_duration": "PT4H"},
    Look: {"comment": "the outage was real: incident 4711"},
    AccountDocument: {"name": "acme", "contact": "Acme's night desk"},
    MassRevocationAsked: {
        "key": "partner_data",
        "account": "444455556666",
        "reason": "incident 7: the partner's credentials leaked",
        "block_for": "PT24H",
    },
}
