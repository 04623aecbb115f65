"""The ticket hook: asked on submission and again before the grant; no answer is no yes, unless set so."""

from typing import Any

import pytest

from tests.local_stack import tickets
from tests.local_stack.tickets import FAILURES, GONE, HOOK, UNLISTED
from tests.support.scene import InProcessStack


@pytest.fixture
def hooked(scene: InProcessStack) -> InProcessStack:
    """The key asks for tickets."""
    asked: list[Any] = []

    def answer(question: Any) -> Any:
        asked.append(question)
        return tickets.answer(question)

    scene.cloud.functions.handlers[HOOK] = answer
    scene.asked = asked  # type: ignore[attr-defined]
    changed = scene.limit(ticket_hook=HOOK)
    assert (changed.status, changed.body["narrowed"]) == (200, ["ticket_hook"])
    return scene


def asked(scene: InProcessStack) -> list[str]:
    """When the function was asked, each time."""
    return [question["moment"] for question in scene.asked]  # type: ignore[attr-defined]


def test_a_ticket_that_stands(hooked: InProcessStack) -> None:
    """It is asked with all that was submitted, before it is stored, and again when it is taken up."""
    request_id = hooked.active(ticket="CHG-1")
    assert asked(hooked) == ["submission", "take_up"]
    [first, _] = hooked.asked  # type: ignore[attr-defined]
    assert first["request_id"] == request_id
    assert first["grantee"] == hooked.grantee("partner")
    assert first["encryption_context"] == {"tenant": "a"}


@pytest.mark.parametrize(
    ("ticket", "words"),
    [("INC-1", "INC-1 is not known"), (None, "this key needs one: submit again with a ticket")],
)
def test_a_ticket_that_does_not_stand(hooked: InProcessStack, ticket: str | None, words: str) -> None:
    """400 that names the ticket and says why; nothing is stored; a dry run says so too."""
    answer = hooked.submit(ticket=ticket)
    assert (answer.status, answer.body["errors"]) == (400, [{"field": "ticket", "message": words}])
    assert hooked.stored() == []
    body = hooked.submission(ticket=ticket)
    tried = hooked.call("partner", "POST", "/requests", body, query={"dry_run": "true"})
    assert tried.body == {"outcome": "refuse", "reasons": [f"ticket: {words}"]}


def test_a_ticket_that_was_closed_since(hooked: InProcessStack) -> None:
    """Approved, and 409 when it is taken up: no grant is made."""
    request_id = hooked.approved(ticket="CHG-91")
    answer = hooked.take_up(request_id)
    assert (answer.status, "CHG-91 is closed" in answer.body["detail"]) == (409, True)
    assert hooked.grants() == []


def test_a_covered_request_is_asked_about_once(hooked: InProcessStack) -> None:
    """What is granted on submission is not asked about twice; what does not stand is not granted."""
    assert hooked.approve_ahead().status == 201
    assert hooked.submit(ticket="CHG-1").body["status"] == "active"
    assert asked(hooked) == ["submission"]
    assert hooked.submit(ticket="INC-1").status == 400
    assert len(hooked.grants()) == 1


@pytest.mark.parametrize("ticket", sorted(FAILURES))
def test_closed_where_there_is_no_answer(hooked: InProcessStack, ticket: str) -> None:
    """503 with Retry-After, nothing stored, and counted: an error, a throttle, an answer of another form."""
    answer = hooked.submit(ticket=ticket)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert hooked.stored() == hooked.grants() == []
    assert hooked.measured("TicketHookFailures") == [1]


def test_closed_when_it_is_taken_up(hooked: InProcessStack) -> None:
    """It stays approved, and can be taken up once the function answers."""
    request_id = hooked.approved(ticket="CHG-1")
    working = hooked.cloud.functions.handlers.pop(HOOK)
    assert hooked.take_up(request_id).status == 503
    assert hooked.status(request_id) == "approved"
    hooked.cloud.functions.handlers[HOOK] = working
    assert hooked.take_up(request_id).status == 201


def test_a_function_that_is_gone(scene: InProcessStack) -> None:
    """On the list, and deleted: as one that does not answer."""
    assert scene.limit(ticket_hook=GONE).status == 200
    assert scene.submit(ticket="CHG-1").status == 503


@pytest.mark.parametrize("hook", [UNLISTED, "tickets", "arn:aws:sqs:eu-central-1:111122223333:tickets"])
def test_only_functions_of_the_stack_s_list(scene: InProcessStack, hook: str) -> None:
    """400 that names the field: no key makes the broker call whatever its writer likes."""
    answer = scene.limit(ticket_hook=hook)
    assert (answer.status, [fault["field"] for fault in answer.body["errors"]]) == (400, ["ticket_hook"])


def test_to_ask_nobody_any_more_is_wider(hooked: InProcessStack) -> None:
    """Another function is both; none is wider, and with a quorum of two a vote."""
    other = hooked.limit(ticket_hook=GONE).body
    assert (other["widened"], other["narrowed"]) == (["ticket_hook"], ["ticket_hook"])
    assert hooked.limit(ticket_hook=GONE, quorum=2).status == 200
    assert hooked.limit(quorum=2).status == 202
    assert hooked.limit("bob", quorum=2).body["widened"] == ["ticket_hook"]
    assert hooked.submit().status == 201


def test_the_role_s_own_right(hooked: InProcessStack) -> None:
    """It is the role of `requests` that asks, by its policy: without it no ticket can be checked."""
    stack = hooked.deployment
    role = stack.cloud.directory.principals[stack.functions["requests"].role]
    work = role.inline["work"]
    left = [each for each in work["Statement"] if each["Sid"] != "AskAboutTickets"]
    role.put("work", {**work, "Statement": left})
    try:
        assert hooked.submit(ticket="CHG-1").status == 503
    finally:
        role.put("work", work)
    assert hooked.submit(ticket="CHG-1").status == 201
