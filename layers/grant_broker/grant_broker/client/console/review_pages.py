"""What somebody else has to look at, and signing it off."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from grant_broker.client.console.person import broker
from grant_broker.client.console.security_pages import names
from grant_broker.client.errors import GrantBrokerError

pages = Blueprint("reviews", __name__, url_prefix="/reviews")


@pages.get("/")
def show_reviews() -> str:
    """What is owed, newest first."""
    return _page()


@pages.post("/<any('break-glass', approval, key, account):kind>/<key:review_id>")
def sign_off(kind: str, review_id: str) -> ResponseReturnValue:
    """Sign off with what was found."""
    try:
        broker().security.sign_off(kind, review_id, comment=request.form.get("comment", ""))
    except GrantBrokerError as error:
        return _page(error), 400
    return redirect(url_for(".show_reviews"), 303)


def _page(problem: object = None) -> str:
    reviews = list(broker().security.list_reviews())
    return render_template("reviews.html", reviews=reviews, names=names(), problem=problem)
