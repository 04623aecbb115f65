"""The console's application: pages over the client, behind the guard."""

from flask import Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from grant_broker.client.console import (
    approval_pages,
    own_pages,
    proposal_pages,
    review_pages,
    revocation_pages,
    security_pages,
    words,
)
from grant_broker.client.console.guard import Guard
from grant_broker.client.console.person import Person
from grant_broker.client.errors import GrantBrokerError, ProblemError

_MOST_BYTES = 64 * 1024
"""The API takes no more."""
_NO_ANSWER = 502


class _RequestId(BaseConverter):
    regex = "[0-9a-f]{32}"


class _KeyId(BaseConverter):
    regex = "(?:[a-z0-9-]{1,32}:)?[A-Za-z0-9-]{1,64}"


def make_app(person: Person, guard: Guard) -> Flask:
    """The console as this person sees it. Nothing of it is kept between two starts."""
    app = Flask(__name__)
    app.extensions["person"] = person
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BYTES
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters.update(words.FILTERS)
    # Nothing but an id reaches a path of the API.
    app.url_map.converters |= {"request": _RequestId, "key": _KeyId}
    guard.protect(app)
    app.register_blueprint(own_pages.pages)
    if person.decides:
        app.register_blueprint(security_pages.pages)
        app.register_blueprint(revocation_pages.pages)
        app.register_blueprint(review_pages.pages)
        app.register_blueprint(approval_pages.pages)
        app.register_blueprint(proposal_pages.pages)
    app.add_url_rule("/", "home", lambda: redirect(url_for(person.first_page)))
    # A page's own `request` is the broker's: Flask's is hidden by it.
    app.context_processor(
        lambda: {"person": person, "form_token": guard.form_token, "here": request.endpoint}
    )
    app.register_error_handler(GrantBrokerError, _show_refusal)
    app.register_error_handler(HTTPException, _show_wrong_path)
    return app


def _show_refusal(error: GrantBrokerError) -> ResponseReturnValue:
    """What the broker, or the way to it, says: in words, with the way back."""
    status = error.status if isinstance(error, ProblemError) else _NO_ANSWER
    return render_template("problem.html", problem=error), status


def _show_wrong_path(error: HTTPException) -> ResponseReturnValue:
    return render_template("problem.html", problem=error.description), error.code or 500
