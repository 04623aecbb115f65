"""Changes of keys' limits that wait for votes: what each widens, and a vote for exactly this document."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from grant_broker.client.console.person import broker
from grant_broker.client.errors import GrantBrokerError
from grant_broker.client.key_naming import path_id_of
from grant_broker.client.security_team import limits_of

if TYPE_CHECKING:
    from grant_broker.api.shapes.keys import Key, Proposal

pages = Blueprint("proposals", __name__, url_prefix="/proposals")


@dataclass(frozen=True)
class _Waiting:
    """A change that waits. `version` is that of the limits with which it is compared."""

    key: "Key"
    version: str
    proposal: "Proposal"

    @property
    def key_id(self) -> str:
        return path_id_of(self.key["key_arn"])

    @property
    def digest(self) -> str:
        """What a vote says it is for: this document, to the letter."""
        text = json.dumps(self.proposal["document"], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def differences(self) -> list[tuple[str, object, object]]:
        """The fields that would change: name, as it is, as it would be."""
        before: dict[str, object] = {**limits_of(self.key)}
        after: dict[str, object] = {**self.proposal["document"]}
        return [(name, before[name], value) for name, value in after.items() if before[name] != value]


@pages.get("/")
def show_proposals() -> str:
    """Every key's, the newest of a key first."""
    return _page()


@pages.post("/<key:key_id>")
def vote(key_id: str) -> ResponseReturnValue:
    """Vote for the document that was shown, if it still waits and would change what was shown."""
    digest, version = request.form.get("digest", ""), request.form.get("version", "")
    found = (each for each in _of_key(key_id) if each.digest == digest)
    if (chosen := next(found, None)) is None:
        return _page(
            "Nothing waits for votes any more that says what you saw: look at what there is now."
        ), 400
    try:
        broker().security.put_key(key_id, chosen.proposal["document"], if_match=version)
    except GrantBrokerError as error:
        return _page(error), 400
    return redirect(url_for(".show_proposals"), 303)


def _of_key(key_id: str) -> Iterator[_Waiting]:
    proposals = broker().security.list_proposals(key_id)
    if proposals:
        key, version = broker().security.get_key(key_id)
        yield from (_Waiting(key, version, each) for each in proposals)


def _page(problem: object = None) -> str:
    # Where one person suffices nothing waits.
    keys = [key for key in broker().security.list_keys() if key["quorum"] > 1]
    waiting = [each for key in keys for each in _of_key(path_id_of(key["key_arn"]))]
    return render_template("proposals.html", waiting=waiting, problem=problem)
