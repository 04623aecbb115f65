"""A third party's pages: its account's own requests."""

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from grant_broker.client.asked import Submission
from grant_broker.client.console.forms import form_key, typed
from grant_broker.client.console.person import broker
from grant_broker.client.errors import GrantBrokerError

if TYPE_CHECKING:
    from grant_broker.api.shapes.third_parties import RequestFields

pages = Blueprint("own", __name__, url_prefix="/own")
MOST = 200
"""Requests on the page: who has more looks with the command line."""


@pages.get("/")
def show_requests() -> str:
    """The account's requests, newest first."""
    return render_template("own_requests.html", requests=list(islice(broker().list_requests(), MOST)))


@pages.get("/<request:request_id>")
def show_request(request_id: str) -> str:
    """One request, and what can be done about it now."""
    return _page_of(request_id)


@pages.post("/<request:request_id>/<any(take_up, withdraw, release):act>")
def change(request_id: str, act: str) -> ResponseReturnValue:
    """Take it up, withdraw or release it."""
    acts: dict[str, Callable[[str], RequestFields]] = {
        "take_up": broker().take_up,
        "withdraw": broker().withdraw,
        "release": broker().release,
    }
    return _act_or_show(request_id, lambda: acts[act](request_id))


@pages.post("/<request:request_id>/extend")
def extend(request_id: str) -> ResponseReturnValue:
    """Ask to go on with an active grant."""
    form = request.form
    return _act_or_show(
        request_id,
        lambda: broker().extend(
            request_id,
            duration=form.get("duration", "").strip(),
            reason=form.get("reason", ""),
            idempotency_key=form.get("once"),
        ),
    )


@pages.post("/<request:request_id>/break_glass")
def break_glass(request_id: str) -> ResponseReturnValue:
    """Be granted a pending request at once, in an emergency."""
    reason, once = request.form.get("reason", ""), request.form.get("once")
    return _act_or_show(
        request_id, lambda: broker().break_glass(request_id, reason=reason, idempotency_key=once)
    )


@pages.get("/ask")
def show_form() -> str:
    """The form of a new request."""
    return _form()


@pages.post("/ask")
def ask() -> ResponseReturnValue:
    """Submit it, or only say what would happen."""
    try:
        submission = _submission()
        if request.form.get("act") == "try":
            return _form(forecast=broker().forecast(**submission))
        made = broker().submit(idempotency_key=request.form.get("once"), **submission)
    except (GrantBrokerError, ValueError) as error:
        return _form(problem=error), 400
    return redirect(url_for(".show_request", request_id=made["id"]), 303)


def _act_or_show(request_id: str, act: Callable[[], "RequestFields"]) -> ResponseReturnValue:
    """Go to the request that the act is about; where it was refused, show why beside what was typed."""
    try:
        made = act()
    except (GrantBrokerError, ValueError) as error:
        return _page_of(request_id, error), 400
    return redirect(url_for(".show_request", request_id=made["id"]), 303)


def _page_of(request_id: str, problem: object = None) -> str:
    found = broker().get_request(request_id)
    return render_template(
        "own_request.html", request=found, problem=problem, typed=request.form, once=form_key()
    )


def _form(problem: object = None, forecast: object = None) -> str:
    offers = list(broker().list_keys())
    return render_template(
        "ask.html", offers=offers, typed=request.form, once=form_key(), problem=problem, forecast=forecast
    )


def _submission() -> Submission:
    """What the form says; ValueError for a line of the context that is no pair."""
    form = request.form
    submission: Submission = {
        "key": form.get("key", ""),
        "operations": form.getlist("operations"),
        "encryption_context": dict(map(_pair, form.get("context", "").split("\n"))),
        "context_match": form.get("match", "equals"),
        "duration": form.get("duration", "").strip(),
        "reason": form.get("reason", ""),
        "ticket": typed("ticket"),
        "starts_at": typed("starts_at"),
    }
    grantee = typed("grantee")
    return {**submission, "grantee": grantee} if grantee else submission


def _pair(line: str) -> tuple[str, str]:
    name, equals, value = line.strip().partition("=")
    if not equals:
        raise ValueError("encryption context: give a pair a line, NAME=VALUE")
    return name, value
