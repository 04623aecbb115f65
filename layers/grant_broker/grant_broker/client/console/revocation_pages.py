"""The kill switch: said what it would end, typed once more, then watched until nothing is left."""

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from grant_broker.client.console.forms import typed
from grant_broker.client.console.person import broker
from grant_broker.client.console.security_pages import MOST, names
from grant_broker.client.console.timeline import LIVE
from grant_broker.client.console.words import name_of
from grant_broker.client.durations import iso_duration
from grant_broker.client.errors import GrantBrokerError
from grant_broker.client.key_naming import name_or_arn

if TYPE_CHECKING:
    from grant_broker.client.asked import MassRevocationAsked

pages = Blueprint("revocations", __name__, url_prefix="/revocations")
_OPEN = ("pending", "approved")
_LATEST = 20


@dataclass(frozen=True)
class _Asked:
    """What the form selects: all that is given must match."""

    key: str | None
    account: str | None
    grantee: str | None
    everything: bool

    @classmethod
    def from_form(cls) -> "_Asked":
        """What was sent."""
        key = typed("key")
        key = key and name_or_arn(key, broker().security.list_keys)
        return cls(key, typed("account"), typed("grantee"), "everything" in request.form)

    @property
    def phrase(self) -> str:
        """What is to be typed: all that is selected, as people call it; empty where nothing is."""
        found = (self.key, self.account, self.grantee and name_of(self.grantee))
        return " ".join(filter(None, found)) or ("everything" if self.everything else "")

    def sent(self) -> "MassRevocationAsked":
        """What the API is sent; ValueError for a duration that is none."""
        block_for = typed("block_for")
        return {
            "key": self.key,
            "account": self.account,
            "grantee": self.grantee,
            "all": self.everything or None,
            "reason": request.form.get("reason", ""),
            "block_for": iso_duration(block_for) if block_for else None,
        }

    def count(self) -> dict[str, int]:
        """How many live grants and open requests are listed now; MOST stands for that many or more."""
        return {"live": self._count(LIVE), "open": self._count(_OPEN)}

    def _count(self, statuses: tuple[str, ...]) -> int:
        team = broker().security
        found = (
            request
            for status in statuses
            for request in team.list_requests(
                status=status, key=self.key, account=self.account, grantee=self.grantee
            )
        )
        return sum(1 for _ in islice(found, MOST))


@pages.get("/")
def show_revocations() -> str:
    """The form, and the latest revocations."""
    return _form()


@pages.post("/")
def revoke() -> ResponseReturnValue:
    """Say what would end, and end it once that was typed."""
    asked = _Asked.from_form()
    if not asked.phrase:
        return _form("Nothing is selected: choose a key, an account, a grantee or everything."), 400
    try:
        if "confirmation" not in request.form:
            return _confirmation(asked)
        if typed("confirmation") != asked.phrase:
            return _confirmation(asked, f"Nothing was revoked: type {asked.phrase} to confirm."), 400
        made = broker().security.revoke_many(**asked.sent())
    except (GrantBrokerError, ValueError) as error:
        return _form(error), 400
    return redirect(url_for(".show_revocation", revocation_id=made["id"]), 303)


@pages.get("/<request:revocation_id>")
def show_revocation(revocation_id: str) -> str:
    """How far it is, and what it blocks."""
    found = broker().security.get_revocation(revocation_id)
    return render_template("revocation.html", revocation=found, names=names())


@pages.post("/<request:revocation_id>/lift")
def lift(revocation_id: str) -> ResponseReturnValue:
    """Lift its block: what it ended stays ended."""
    broker().security.lift_block(revocation_id)
    return redirect(url_for(".show_revocation", revocation_id=revocation_id), 303)


def _form(problem: object = None) -> str:
    latest = list(islice(broker().security.list_revocations(), _LATEST))
    keys = list(broker().security.list_keys())
    return render_template(
        "revocations.html",
        latest=latest,
        keys=keys,
        names=names(),
        typed=request.form,
        problem=problem,
    )


def _confirmation(asked: _Asked, problem: object = None) -> str:
    return render_template(
        "confirm_revocation.html",
        asked=asked,
        count=asked.count(),
        most=MOST,
        typed=request.form,
        problem=problem,
    )
