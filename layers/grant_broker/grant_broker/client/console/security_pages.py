"""The security team's pages: what waits, what lives, who can use a key, what happened."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from grant_broker.client.console.ends_ahead import draw_columns
from grant_broker.client.console.person import broker
from grant_broker.client.console.timeline import LIVE, SPANS, Window, draw
from grant_broker.client.console.words import name_of
from grant_broker.client.errors import GrantBrokerError
from grant_broker.client.key_naming import name_or_arn
from grant_broker.domain.times import format_time

if TYPE_CHECKING:
    from grant_broker.api.shapes.requests import RequestSeen

pages = Blueprint("security", __name__)
MOST = 200
"""Items of a list on one page: who has more looks with the command line."""
_DAY = timedelta(days=1)


@pages.get("/queue")
def show_queue() -> str:
    """What waits for a decision, the one that lapses first at the head."""
    waiting = list(islice(broker().security.list_requests(order="answer_by"), MOST))
    return render_template("queue.html", requests=waiting, names=names(), most=MOST)


@pages.get("/requests/<request:request_id>")
def show_request(request_id: str) -> str:
    """One request with what helps to decide, and its trail."""
    return _page_of(request_id)


@pages.post("/requests/<request:request_id>/decision")
def decide(request_id: str) -> ResponseReturnValue:
    """Vote."""
    comment, shorter = request.form.get("comment", ""), request.form.get("duration", "").strip()
    votes: dict[str, Callable[[], object]] = {
        "approve": lambda: broker().security.approve(request_id, comment=comment, duration=shorter or None),
        "deny": lambda: broker().security.deny(request_id, comment=comment),
    }
    vote = votes.get(request.form.get("verdict", "")) or abort(400, "Approve or deny.")
    return _act_or_show(request_id, vote)


@pages.post("/requests/<request:request_id>/revocation")
def revoke(request_id: str) -> ResponseReturnValue:
    """Take a grant back, by who has typed whose it is."""
    grantee = broker().security.get_request(request_id)["grantee"]
    if request.form.get("confirmation", "").strip() != name_of(grantee):
        words = f"Nothing was revoked: type {name_of(grantee)} to confirm whose access ends."
        return _page_of(request_id, words), 400
    reason = request.form.get("reason", "")
    return _act_or_show(request_id, lambda: broker().security.revoke(request_id, reason=reason))


@pages.get("/live")
def show_live() -> str:
    """Every key's live grants, and those that ended just now, as a picture."""
    return render_template("live.html", **_pictures(), names=names())


@pages.get("/ahead")
def show_ahead() -> str:
    """What falls due in the next hour and day, and how late it would end."""
    debt = broker().security.get_debt()
    return render_template(
        "ahead.html",
        debt=debt,
        minutes=draw_columns(debt["minutes"], debt["end_rate"] * 60),
        hours=draw_columns(debt["hours"], debt["end_rate"] * 3600),
    )


@pages.get("/keys")
def show_keys() -> str:
    """The managed keys."""
    return render_template("keys.html", keys=list(broker().security.list_keys()))


@pages.get("/keys/<key:key_id>")
def show_key(key_id: str) -> str:
    """A key's limits, its checks and its live grants."""
    key, _ = broker().security.get_key(key_id)
    pictures = _pictures(key["key_arn"])
    checks = broker().security.get_checks(key_id)
    return render_template("key.html", key=key, key_id=key_id, checks=checks, **pictures)


@pages.get("/keys/<key:key_id>/access")
def show_access(key_id: str) -> str:
    """Who can use or manage a key, and by what."""
    report = broker().security.get_access(key_id)
    return render_template("access.html", report=report, key_id=key_id)


@pages.get("/trail")
def show_trail() -> str:
    """The newest audit events."""
    given = {name: request.args.get(name, "").strip() or None for name in ("request", "key", "type")}
    key = given["key"] and name_or_arn(given["key"], broker().security.list_keys)
    events = islice(broker().security.list_events(order="newest", **{**given, "key": key}), MOST)
    return render_template("trail.html", events=list(events), given=given)


def _page_of(request_id: str, problem: object = None) -> str:
    """The page of a request; after a form that was refused with why, and with what was typed."""
    found = broker().security.get_request(request_id)
    return render_template("request.html", request=found, names=names(), problem=problem, typed=request.form)


def _act_or_show(request_id: str, act: Callable[[], object]) -> ResponseReturnValue:
    """Act, and go back to the request; where it was refused, show why beside what was typed."""
    try:
        act()
    except (GrantBrokerError, ValueError) as error:
        return _page_of(request_id, error), 400
    return redirect(url_for(".show_request", request_id=request_id), 303)


def _pictures(key: str | None = None) -> dict[str, object]:
    minutes = request.args.get("minutes", 60, int)
    if minutes not in SPANS:
        abort(404)
    window = Window(datetime.now(UTC), minutes)
    found = [list(islice(each, MOST)) for each in _lately_live(key)]
    return {
        "pictures": draw(chain.from_iterable(found), window),
        "minutes": minutes,
        "spans": SPANS,
        "cut": any(len(each) == MOST for each in found),
    }


def _lately_live(key: str | None) -> Iterator[Iterator["RequestSeen"]]:
    """What lives, status by status, and what ended of the requests of a day."""
    for status in LIVE:
        yield broker().security.list_requests(status=status, key=key)
    since = format_time(datetime.now(UTC) - _DAY)
    newest = islice(broker().security.list_requests(since=since, key=key), MOST)
    yield (found for found in newest if found["ended_at"])


def names() -> dict[str, str]:
    """What people call keys, by their ARNs, and accounts, by their ids."""
    keys = {key["key_arn"]: key["name"] for key in broker().security.list_keys()}
    return keys | {named["account"]: named["name"] for named in broker().security.list_accounts()}
