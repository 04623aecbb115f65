"""One way in: routes, callers and the shape of every answer."""

import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response

from grant_broker.api.problems import Answer
from grant_broker.api.routing import (
    approver,
    event_of,
    repeatable,
    resolver,
    respond,
    share_handlers,
    third_party,
)
from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.kms import Kms
from grant_broker.aws.store import Store
from grant_broker.broker import Broker
from grant_broker.domain.errors import InvalidRequest, NotPermitted
from grant_broker.settings import Settings
from tests.local_stack.brokers import Context
from tests.unit.api.test_calls import call

HOME, PARTNER = "111122223333", "444455556666"
SETTINGS = Settings(
    request_table="r", home_account=HOME, trusted_accounts=(PARTNER,), approver_role_ids=("AROAAPPROVER",)
)
BROKER = Broker(
    settings=SETTINGS, kms=Kms(None),  # type: ignore[arg-type]
    store=Store(DynamoDb(None), request_table="r", approval_table=""),  # type: ignore[arg-type]
)  # fmt: skip


def event(
    path: str = "/requests", method: str = "GET", body: str | None = None, **who: Any
) -> dict[str, Any]:
    """A proxy event."""
    return {
        "path": path,
        "httpMethod": method,
        "body": body,
        "headers": {},
        "multiValueHeaders": {},
        **call(**who),
    }


def session(account: str, role: str = "AROAAPPROVER") -> dict[str, str]:
    """A role session of an account."""
    return {"arn": f"arn:aws:sts::{account}:assumed-role/r/s", "account": account, "caller": f"{role}:s"}


@pytest.mark.parametrize(("account", "trusted"), [(PARTNER, True), (HOME, True), ("777788889999", False)])
def test_third_party(account: str, *, trusted: bool) -> None:
    """Trusted accounts and the home account are third parties, no others."""
    if trusted:
        assert third_party(event(**session(account)), BROKER).account == account
    else:
        with pytest.raises(NotPermitted):
            third_party(event(**session(account)), BROKER)


@pytest.mark.parametrize(
    ("account", "role", "may"),
    [
        (HOME, "AROAAPPROVER", True),
        (HOME, "AROAOTHER", False),
        (PARTNER, "AROAAPPROVER", False),
        (PARTNER, "AROAOTHER", False),
    ],
)
def test_approver(account: str, role: str, *, may: bool) -> None:
    """An approver is of the home account, with a role on the list by its unique id."""
    if may:
        assert approver(event(**session(account, role)), BROKER).unique_id == role
    else:
        with pytest.raises(NotPermitted):
            approver(event(**session(account, role)), BROKER)


def test_no_role_of_that_name() -> None:
    """Without an approver role on the list nobody is an approver."""
    none = replace(BROKER, settings=SETTINGS.model_copy(update={"approver_role_ids": ()}))
    with pytest.raises(NotPermitted):
        approver(event(**session(HOME)), none)


def test_body_on_get() -> None:
    """A GET is sent no body: nothing that is sent is ignored."""
    for check in (third_party, approver):
        with pytest.raises(InvalidRequest, match="body"):
            check(event(body='{"status": "active"}', **session(HOME)), BROKER)
        assert check(event(method="POST", body='{"a": 1}', **session(HOME)), BROKER)


def test_answers() -> None:
    """An answer is not to be kept by any cache; errors of every kind are problem documents."""
    app = resolver()

    @app.get("/good")
    def _good() -> Response[str]:
        return respond(Answer(200, {"path": event_of(app)["path"]}, headers={"Location": "/x"}))

    @app.get("/bad")
    def _bad() -> Response[str]:
        raise NotPermitted("no")

    @app.get("/broken/<name>")
    def _broken(name: str) -> Response[str]:
        raise KeyError(name)

    good = app.resolve(event("/good"), Context())
    assert (good["statusCode"], json.loads(good["body"])) == (200, {"path": "/good"})
    headers = {name: values[0] for name, values in good["multiValueHeaders"].items()}
    assert headers == {"Content-Type": "application/json", "Cache-Control": "no-store", "Location": "/x"}
    for path, status in (("/bad", 403), ("/broken/a", 503), ("/none", 404), ("/broken/\ufffd", 404)):
        answer = app.resolve(event(path), Context())
        assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (status, status)
        assert answer["multiValueHeaders"]["Content-Type"] == ["application/problem+json"]


def test_repeatable() -> None:
    """A repeat is told by its key and a digest of its body, whatever the body holds."""
    first, other = (repeatable(event(body=body)) for body in ('{"a": 1}', '{"a": 2}'))
    assert (first.key, other.key) == (None, None)
    assert first.body_digest != other.body_digest
    assert repeatable(event(body="\ud800")).body_digest != repeatable(event(body="\ud801")).body_digest
    keyed = {**event(), "multiValueHeaders": {"Idempotency-Key": ["k"]}}
    assert repeatable(keyed).key == "k"


def test_logs() -> None:
    """The package's own loggers write as the function's logger does."""
    package = logging.getLogger("grant_broker")
    before = (package.handlers, package.propagate, package.level)
    logger = Logger(service="test", level="WARNING")
    try:
        share_handlers(logger)
        assert (package.handlers, package.propagate, package.level) == (
            logger.handlers,
            False,
            logging.WARNING,
        )
    finally:
        package.handlers, package.propagate = before[:2]
        package.setLevel(before[2])
