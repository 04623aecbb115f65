"""What partners' buses are told: their own requests' events, in a published form, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from grant_broker.api.openapi.partner_events import text
from grant_broker.client.main import main
from grant_broker.domain.partner_events import TYPES, PartnerEvent, find_account_told, partner_event
from grant_broker.domain.trail import Event
from tests.local_stack.template import ROOT
from tests.support.announcements import event

PARTNER = "444455556666"
DOCUMENT = ROOT / "layers" / "grant_broker" / "grant_broker" / "api" / "openapi" / "partner_event.json"


def told(kind: str, **detail: Any) -> dict[str, object]:
    """An event of the partner's as its bus is told of it."""
    return partner_event(event(kind=kind, account=PARTNER, **detail), PARTNER).model_dump(mode="json")


def test_the_kept_document_is_what_the_model_says() -> None:
    """`partner_event.json` is current: `grant-broker openapi --partner-events` makes it anew."""
    assert Path(DOCUMENT).read_text("utf-8") == text()


def test_the_command_line_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints the document and nothing else."""
    assert main(["openapi", "--partner-events"]) == 0
    assert capsys.readouterr().out == text()


@pytest.mark.parametrize("kind", TYPES)
def test_each_type_fits_the_document_and_says_what_to_do_next(kind: str) -> None:
    """Whatever the type: valid by the published schema, every field there, a next step for this request."""
    found = told(kind, reason="done", key="arn", operations=["Encrypt"], encryption_context={"a": "b"})
    Draft202012Validator(json.loads(text())).validate(found)
    assert set(found) == set(PartnerEvent.model_fields)
    assert "{id}" not in str(found["next"])
    assert len(str(found["next"])) > 10


def test_only_what_the_account_may_read() -> None:
    """A token, a count of votes, a digest, what is not listed: none of it leaves."""
    found = told("approved", comment="fine", votes=1, quorum=2, digest="d", grant_token="t", preflight={})
    detail = {name: value for name, value in found["detail"].items() if value is not None}  # type: ignore[attr-defined]
    assert detail == {"comment": "fine"}
    assert found["next"] == "Take it up until take_up_by with POST /requests/1/grant: its time starts then."


def without(**changes: object) -> Event:
    """A good event, but for this."""
    return event(account=PARTNER).model_copy(update=changes)


@pytest.mark.parametrize(
    "other",
    [
        event(kind="issuing", account=PARTNER),
        event(kind="end_failed", account=PARTNER),
        event(kind="drift", account=PARTNER),
        event(),
        event(account=444455556666),
        event(account="44445555666x"),
        event(account=PARTNER + "7"),
        without(request_id=None),
        without(request_id="../security"),
    ],
)
def test_nobody_s_business(other: Event) -> None:
    """Other types, events of no request, and what names no account, are told to no partner's bus."""
    assert find_account_told(event(account=PARTNER)) == PARTNER
    assert find_account_told(other) is None


@pytest.mark.parametrize("detail", [{"grantee": 7}, {"grantee": {"a": "b"}}, {"expires_at": ["now"]}])
def test_what_has_another_form_is_not_told(detail: dict[str, object]) -> None:
    """Nobody is promised it, so a bus would be given what its rules do not expect."""
    with pytest.raises(ValueError, match="detail"):
        told("active", **detail)
