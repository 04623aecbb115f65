"""The life of a request over HTTP."""

from datetime import datetime

from tests.end_to_end.conftest import Running


def _seconds(request: dict[str, str], name: str, since: str) -> float:
    return (datetime.fromisoformat(request[name]) - datetime.fromisoformat(request[since])).total_seconds()


def test_expiry(stack: Running) -> None:
    """A grant of three seconds ends by itself, answered within a second of its expiry."""
    request = stack.granted(duration="PT3S")
    assert request["status"] == "active"
    ended = stack.until("expired", request)
    assert 0 <= _seconds(ended, "ended_at", "expires_at") <= 1


def test_release(stack: Running) -> None:
    """A grant that is released ends at once."""
    request = stack.granted()
    answer = stack.call("partner", "DELETE", f"/requests/{request['id']}/grant")
    assert (answer.status, answer.body["status"]) == (202, "ending")
    assert stack.until("released", request)["grant"]["grant_token"] is None
