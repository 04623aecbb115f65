"""The contract over signed HTTP: what each caller is shown of it, and that it leads to the API."""

from urllib.parse import urlsplit

from tests.end_to_end.conftest import Running
from tests.support import contract


def test_each_caller_s_side(stack: Running) -> None:
    """A third party is shown its own calls, the security team all, a stranger nothing."""
    shown = stack.call("partner", "GET", "/openapi.json")
    assert shown.status == 200
    assert shown.body["openapi"].startswith("3.1")
    assert {"/requests", "/keys", "/openapi.json"} <= set(shown.body["paths"])
    assert not [path for path in shown.body["paths"] if path.startswith("/security")]
    assert set(stack.call("alice", "GET", "/openapi.json").body["paths"]) == set(contract.document()["paths"])
    assert stack.call("outsider", "GET", "/openapi.json").status == 403


def test_its_server_is_where_it_came_from(stack: Running) -> None:
    """The server that it names, on the host that answered, is the API's address."""
    [server] = stack.call("partner", "GET", "/openapi.json").body["servers"]
    api = urlsplit(stack.ready["api_url"])
    assert f"{api.scheme}://{api.netloc}{server['url']}" == stack.ready["api_url"]
