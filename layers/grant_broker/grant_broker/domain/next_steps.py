"""What to do next about an event, as a mail says it."""

from grant_broker.domain.arns import ACCOUNT, KEY
from grant_broker.domain.texts import is_id
from grant_broker.domain.trail import Event

TO_ANSWER = frozenset({"submitted", "answer_due"})
"""Types of the events that somebody must answer."""


def next_steps(event: Event) -> list[str]:
    """The commands to copy, and the calls behind them; only what can be nothing but an id is in them."""
    kind, _, name = event.subject.partition("#")
    if kind == "key" and KEY.fullmatch(name):
        return _for_a_key(event.type, name)
    if kind == "account" and ACCOUNT.fullmatch(name):
        return [f"Next: grant-broker accounts show {name}"]
    if kind == "revocation" and is_id(name):
        path = f"/security/revocations/{name}"
        return [f"Next: GET {path} shows how far it is; DELETE {path} lifts its block."]
    if event.request_id is None or not is_id(event.request_id):
        return []
    return _for_a_request(event.type, event.request_id)


def _for_a_key(event_type: str, key_arn: str) -> list[str]:
    if event_type != "key_voted":
        return [f"Next: grant-broker keys show {key_arn}"]
    path = "/security/keys/{key_id}"
    return [
        f"Next: grant-broker keys proposals {key_arn}",
        f"Agree: grant-broker keys vote {key_arn}",
        f"By the API: GET {path}/proposals shows all of it; PUT {path} of the same document agrees.",
    ]


def _for_a_request(event_type: str, request_id: str) -> list[str]:
    path = f"/security/requests/{request_id}"
    look = f"Next: grant-broker show {request_id}"
    if event_type in TO_ANSWER:
        return [
            look,
            f"Approve: grant-broker approve {request_id}",
            f"Deny: grant-broker deny {request_id} --comment WHY",
            f"By the API: GET {path} shows what was found about it; POST {path}/decision decides.",
        ]
    if event_type == "break_glass":
        return [
            look,
            f"If it was right: grant-broker reviews sign-off break-glass {request_id} --comment WHAT",
            f"Take back: grant-broker revoke {request_id} --reason WHY",
        ]
    if event_type == "active":
        return [look, f"Take back: grant-broker revoke {request_id} --reason WHY"]
    return [look]
