"""Managed keys: their limits, who can use them, and whether the broker can work on them."""

from grant_broker.api.openapi.routes.operation import Operation
from grant_broker.api.openapi.schemas import KeyPatch
from grant_broker.api.query import PAGED
from grant_broker.api.shapes.access import AccessReport, KeyPolicyAdvice
from grant_broker.api.shapes.keys import ChangedKey, Key, KeyChecks, Proposal, Votes
from grant_broker.api.shapes.third_parties import Page
from grant_broker.domain.key_document import KeyDocument

_KEY = "/security/keys/{key_id}"

KEYS = (
    Operation("get_managed_keys", "GET", "/security/keys", "Managed keys.", {200: Page[Key]}, query=PAGED),
    Operation("get_managed_key", "GET", _KEY, "One managed key.", {200: Key}),
    Operation(
        "put_managed_key",
        "PUT",
        _KEY,
        "Register a key or change its limits; with a quorum above 1, a vote.",
        {200: ChangedKey, 201: ChangedKey, 202: Votes},
        body=KeyDocument,
        conflicts=True,
        conditional=True,
        follow=("get_managed_key", "get_access", "delete_managed_key", "get_proposals"),
    ),
    Operation(
        "patch_managed_key",
        "PATCH",
        _KEY,
        "Change some of a key's limits; with a quorum above 1, a vote.",
        {200: ChangedKey, 202: Votes},
        body=KeyPatch,
        conflicts=True,
        conditional=True,
    ),
    Operation(
        "get_proposals",
        "GET",
        f"{_KEY}/proposals",
        "The changes of its limits that wait for votes, newest first.",
        {200: Page[Proposal]},
        query=PAGED,
    ),
    Operation(
        "delete_managed_key",
        "DELETE",
        _KEY,
        "Close a key to new grants; live ones run to their time.",
        {204: None},
        conflicts=True,
    ),
    Operation(
        "get_access",
        "GET",
        f"{_KEY}/access",
        "Who can use or manage a key, and by what.",
        {200: AccessReport},
        query=PAGED,
        conflicts=True,
    ),
    Operation("get_check", "GET", f"{_KEY}/check", "What the broker's last checks found.", {200: KeyChecks}),
    Operation(
        "post_check",
        "POST",
        f"{_KEY}/check",
        "Have a key checked within a minute.",
        {202: KeyChecks},
        repeatable=True,
    ),
    Operation(
        "get_key_policy",
        "GET",
        f"{_KEY}/policy",
        "What a key's policy must say for the broker.",
        {200: KeyPolicyAdvice},
        query=("key_arn",),
    ),
)
