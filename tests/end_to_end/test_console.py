"""The console's pages against the stack, as the security team and as a third party use them."""

import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from typing import Any
from unittest import mock

import pytest

from grant_broker.client import Client, NoAnswerError, NotPermittedError
from grant_broker.client.console.person import find_person
from grant_broker.client.console.serving import ConsoleServer
from grant_broker.client.security_team import SecurityTeam
from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.conftest import Running
from tests.end_to_end.console_browser import Console, open_console, plain

pytestmark = pytest.mark.usefixtures("local_aws")
CONTEXT = {"dataset": "console"}
REASON = "<script>alert(1)</script> & 'quoted'"


@pytest.fixture(scope="module")
def alice(stack: Running) -> Console:
    """The console of one of the security team."""
    return open_console(stack, "alice")


@pytest.fixture(scope="module")
def partner(stack: Running) -> Console:
    """The console of a third party."""
    return open_console(stack, "partner")


def asked(stack: Running, **changes: Any) -> str:
    """The id of a request that waits."""
    submission = stack.submission(encryption_context=CONTEXT, duration="PT2H", reason=REASON, **changes)
    return str(stack.call("partner", "POST", "/requests", submission).body["id"])


def seen(stack: Running, request_id: str) -> Any:
    """A request as the security team sees it."""
    return stack.call("alice", "GET", f"/security/requests/{request_id}").body


def test_the_queue_says_what_it_takes_to_decide(stack: Running, alice: Console) -> None:
    """Deadline, who, what, why, preflight in a word, votes and other grants; others' markup is text."""
    held = stack.granted(encryption_context=CONTEXT)
    request_id = asked(stack)
    named = {"name": "acme", "contact": None, "event_bus": None}
    assert stack.call("alice", "PUT", "/security/accounts/444455556666", named).status in {200, 201}
    assert alice.get("/").headers["Location"] == "/queue"
    answer = alice.get("/queue")
    assert f'href="/requests/{request_id}"' in answer.text
    words = plain(answer)
    assert "Encrypt for 2 h on partner_data" in words
    assert "partner-application acme 444455556666" in words
    assert "dataset=console" in words
    assert "in 2 d 23 h" in words
    assert "0 of 1" in words
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#39;quoted&#39;" in answer.text
    assert "<script>alert" not in answer.text
    page = alice.get(f"/requests/{request_id}")
    assert f'href="/requests/{held["id"]}"' in page.text
    assert "KMS would create this grant now" in page.text


def test_a_vote(stack: Running, alice: Console) -> None:
    """Approving shortens and comments; what is wrong with a vote is said beside what was typed."""
    request_id = asked(stack)
    path = f"/requests/{request_id}/decision"
    for typed, words in (("8h", "a vote may shorten, never lengthen"), ("0s", "give a duration of a second")):
        refused = alice.post(path, verdict="approve", duration=typed, comment="so be it")
        assert (refused.status_code, words in refused.text) == (400, True)
        assert "so be it</textarea>" in refused.text
    assert alice.post(path, verdict="maybe").status_code == 400
    done = alice.post(path, verdict="approve", duration="1h", comment="half of it")
    assert (done.status_code, done.headers["Location"]) == (303, f"/requests/{request_id}")
    [vote] = seen(stack, request_id)["decisions"]
    assert (vote["verdict"], vote["duration"], vote["comment"]) == ("approve", "PT1H", "half of it")
    again = alice.post(path, verdict="approve")
    assert (again.status_code, "Not done." in again.text) == (400, True)


def test_a_denial(stack: Running, alice: Console) -> None:
    """Denying needs a comment, which the API says with its field; then it is final."""
    request_id = asked(stack)
    path = f"/requests/{request_id}/decision"
    refused = alice.post(path, verdict="deny", comment="")
    assert (refused.status_code, "<code>comment</code>" in refused.text) == (400, True)
    assert alice.post(path, verdict="deny", comment="wrong bucket").status_code == 303
    words = alice.words(f"/requests/{request_id}")
    assert "wrong bucket" in words
    assert "Approve" not in words


def test_who_may_not_decide(stack: Running, alice: Console) -> None:
    """Whom the key's list leaves out is told so in place of the form."""
    request_id = asked(stack)
    others = {**seen(stack, request_id), "may_decide": False}
    with mock.patch.object(SecurityTeam, "get_request", return_value=others):
        words = alice.words(f"/requests/{request_id}")
    assert ("Others decide" in words, "Approve" in words) == (True, False)


def test_a_revocation(stack: Running, alice: Console) -> None:
    """Revoking takes whose access ends, typed; anything else revokes nothing."""
    held = stack.granted(encryption_context=CONTEXT)
    path = f"/requests/{held['id']}/revocation"
    refused = alice.post(path, reason="leaked", confirmation="partner")
    assert (refused.status_code, "Nothing was revoked" in refused.text) == (400, True)
    assert "leaked</textarea>" in refused.text
    assert seen(stack, held["id"])["status"] == "active"
    assert alice.post(path, reason="leaked", confirmation="partner-application").status_code == 303
    stack.until("revoked", held)
    assert "revoked" in alice.words(f"/requests/{held['id']}")
    late = alice.post(path, reason="leaked", confirmation="partner-application")
    assert (late.status_code, "Not done." in late.text) == (400, True)


def test_the_kill_switch(stack: Running, alice: Console) -> None:
    """It says what it would end, ends it by the typed phrase alone, shows how far it is, and is lifted."""
    held = stack.granted("partner_colleague", encryption_context=CONTEXT)
    grantee = stack.grantee("partner_colleague")
    form = {"grantee": grantee, "account": "444455556666", "reason": "leaked", "block_for": "1h"}
    asks = alice.post("/revocations/", **form)
    assert "Ends 1 live grants and cancels 0 open requests" in plain(asks)
    phrase = "444455556666 partner-colleague"
    assert f"<code>{phrase}</code>" in asks.text
    wrong = alice.post("/revocations/", **form, confirmation="everything")
    assert (wrong.status_code, "Nothing was revoked" in wrong.text) == (400, True)
    assert seen(stack, held["id"])["status"] == "active"
    done = alice.post("/revocations/", **form, confirmation=phrase)
    assert done.status_code == 303
    path = done.headers["Location"]
    try:
        stack.until("revoked", held, "partner_colleague")
        assert "1 of 1 ended, 0 left" in alice.words(path)
        assert "Blocked until" in alice.words(path)
        assert path in alice.get("/revocations/").text
        refused = stack.call("partner_colleague", "POST", "/requests", stack.submission("partner_colleague"))
        assert refused.status == 403
    finally:
        assert alice.post(f"{path}/lift").status_code == 303
    assert "lifted" in alice.words(path)


def test_a_kill_switch_that_is_not_told_what(stack: Running, alice: Console) -> None:
    """Nothing selected, or what the API cannot read, revokes nothing; everything is a phrase of its own."""
    nothing = alice.post("/revocations/", reason="leaked")
    assert (nothing.status_code, "Nothing is selected" in nothing.text) == (400, True)
    strange = alice.post("/revocations/", account="acme", reason="leaked")
    assert (strange.status_code, "<code>account</code>" in strange.text) == (400, True)
    never = alice.post("/revocations/", everything="yes", confirmation="everything", block_for="0s")
    assert (never.status_code, "give a duration" in never.text) == (400, True)
    assert "<code>everything</code>" in alice.post("/revocations/", everything="yes", reason="leaked").text
    by_id = alice.post("/revocations/", key=stack.key.rpartition("/")[2], reason="leaked")
    assert f"Type <code>{stack.key}</code> to confirm" in by_id.text


def test_the_picture(stack: Running, alice: Console) -> None:
    """Each key's live grants are bars; one that ended just now stays for a while, as such."""
    held = stack.granted(encryption_context=CONTEXT, duration="PT30M")
    key_id = stack.key.rpartition("/")[2]
    for path in ("/live", "/live?minutes=15", f"/keys/{key_id}"):
        answer = alice.get(path)
        assert f'<a href="/requests/{held["id"]}">' in answer.text
        assert 'class="bar live"' in answer.text
        assert "ends in 29 min" in answer.text
    stack.call("partner", "DELETE", f"/requests/{held['id']}/grant")
    stack.until("released", held)
    assert "released" in alice.words("/live")
    assert 'class="bar over"' in alice.get("/live").text
    assert alice.get("/live?minutes=16").status_code == 404


def test_more_than_a_page_shows(stack: Running, alice: Console) -> None:
    """Where there is more than is drawn or listed, the page says so."""
    stack.granted(encryption_context=CONTEXT)
    asked(stack)
    assert "more than are drawn" not in alice.words("/live")
    with mock.patch("grant_broker.client.console.security_pages.MOST", 1):
        assert "There are more than are drawn" in alice.words("/live")
        assert "1 or more waiting" in alice.words("/queue")


def test_what_ends_ahead(stack: Running, alice: Console) -> None:
    """How much ends when is drawn by minutes and by hours, and said; what would end late is told."""
    stack.granted(encryption_context=CONTEXT, duration="PT30M")
    page = alice.get("/ahead")
    assert "All end on time at" in plain(page)
    assert 'aria-label="The next hour, minute by minute: at most' in page.text
    now = "2026-03-01T12:00:00Z"
    late = {"at": now, "end_rate": 2, "debt_seconds": 90, "overdue": 3, "believed": False}
    due = {"minutes": [{"at": now, "due": 300}], "hours": [{"at": now, "due": 0}]}
    with mock.patch.object(SecurityTeam, "get_debt", return_value={**late, **due}):
        words = alice.words("/ahead")
    assert "Some end 90 s late at 2 ends a second. 3 are overdue now. No live grants stand behind" in words
    assert "What is above the red line ends late." in words
    assert "Nothing ends then." in words


def test_keys_and_who_can_use_them(stack: Running, alice: Console) -> None:
    """A key's limits, whether the broker can work on it, and the access report."""
    key_id = stack.key.rpartition("/")[2]
    assert stack.key in alice.words("/keys")
    words = alice.words(f"/keys/{key_id}")
    assert "max duration 8 h" in words
    report = alice.words(f"/keys/{key_id}/access")
    assert "key policy, AccountRoot" in report
    missing = alice.get("/keys/00000000-0000-0000-0000-000000000000")
    assert (missing.status_code, "Not done." in missing.text) == (404, True)


def test_the_trail(stack: Running, alice: Console) -> None:
    """The newest events, searched by request and type; what cannot be searched for is told."""
    request_id = asked(stack)
    assert "submitted" in alice.words("/trail")
    found = alice.get(f"/trail?request={request_id}&type=submitted")
    assert f"<code>{request_id[:8]}</code>" in found.text
    assert "No such event." in alice.words(f"/trail?request={request_id}&type=revoked")
    for way in ("partner_data", stack.key, stack.key.rpartition("/")[2]):
        assert f"<code>{request_id[:8]}</code>" in alice.get(f"/trail?request={request_id}&key={way}").text
    wrong = alice.get("/trail?type=No!")
    assert (wrong.status_code, "<code>type</code>" in wrong.text) == (400, True)


def test_a_third_partys_own_requests(stack: Running, alice: Console, partner: Console) -> None:
    """Tried, asked, seen, taken up, released; withdrawn; the grant's token never reaches the browser."""
    assert partner.get("/").headers["Location"] == "/own/"
    assert 'name="operations" value="Encrypt" checked' in partner.get("/own/ask").text
    form: Any = {
        "key": "partner_data",
        "operations": ["Encrypt", "GenerateDataKey"],
        "context": "dataset=console\r\nstage=test",
        "match": "subset",
        "duration": "2h",
        "reason": REASON,
    }
    tried = partner.post("/own/ask", **form, act="try")
    assert "Would wait for the security team." in tried.text
    assert 'value="GenerateDataKey" checked' in tried.text
    made = partner.post("/own/ask", **form, act="ask")
    assert made.status_code == 303
    path = made.headers["Location"]
    request = stack.call("partner", "GET", path.replace("/own/", "/requests/")).body
    assert request["encryption_context"] == {"dataset": "console", "stage": "test"}
    assert request["grantee"] == stack.credentials("partner").arn
    assert request["id"][:8] in partner.words("/own/")
    early = partner.post(f"{path}/take_up")
    assert (early.status_code, "Not done." in early.text) == (400, True)
    vote = {"verdict": "approve", "comment": ""}
    stack.call("alice", "POST", f"/security/requests/{request['id']}/decision", vote)
    assert partner.post(f"{path}/take_up").status_code == 303
    active = stack.until("active", request)
    page = partner.get(path).text
    assert f"grant-broker encrypt {request['id']}" in page
    assert active["grant"]["grant_token"] not in page
    refused = partner.post(f"{path}/extend", duration="1m", reason="more of it")
    assert (refused.status_code, "more of it</textarea>" in refused.text) == (400, True)
    further = partner.post(f"{path}/extend", duration="3h", reason="more of it").headers["Location"]
    assert f'href="{path}"' in partner.get(further).text
    going_on = further.rpartition("/")[2]
    stack.call("alice", "POST", f"/security/requests/{going_on}/decision", vote)
    assert partner.post(f"{further}/take_up").status_code == 303
    assert f"goes on from {request['id'][:8]}" in alice.words("/live")
    assert partner.post(f"{further}/release").status_code == 303
    assert partner.post(f"{path}/release").status_code == 303
    stack.until("released", request)
    once = {"once": "a form that is sent twice"}
    other = partner.post("/own/ask", **form, **once, act="ask").headers["Location"]
    assert partner.post("/own/ask", **form, **once, act="ask").headers["Location"] == other
    assert partner.post(f"{other}/withdraw").status_code == 303
    assert "withdrawn" in partner.words(other)


def test_break_glass_and_its_review(stack: Running, alice: Console, partner: Console) -> None:
    """Whom the key names takes a pending request at once; somebody else signs it off, with what was found."""
    request_id = asked(stack)
    key = f"/security/keys/{stack.key.rpartition('/')[2]}"
    form = {"reason": "the archive is on fire"}
    refused = partner.post(f"/own/{request_id}/break_glass", **form)
    assert (refused.status_code, "on fire</textarea>" in refused.text) == (400, True)
    named = {"principals": [stack.grantee("partner")], "max_duration": "PT15M", "per_day": 9}
    assert stack.call("alice", "PATCH", key, {"break_glass": named}).status == 200
    try:
        assert partner.post(f"/own/{request_id}/break_glass", **form).status_code == 303
        assert "Break-glass by 444455556666" in alice.words(f"/requests/{request_id}")
        owed = alice.get("/reviews/")
        assert (f"/requests/{request_id}" in owed.text, "on fire" in owed.text) == (True, True)
        path = f"/reviews/break-glass/{request_id}"
        silent = alice.post(path, comment="")
        assert (silent.status_code, "<code>comment</code>" in silent.text) == (400, True)
        assert alice.post(path, comment="it was").status_code == 303
        assert f"/requests/{request_id}" not in alice.get("/reviews/").text
    finally:
        partner.post(f"/own/{request_id}/release")
        stack.call("alice", "PATCH", key, {"break_glass": None})


def test_a_form_that_says_too_little(stack: Running, partner: Console) -> None:
    """A context that is no pair, and whatever the API finds, is said above the form."""
    grantee = stack.grantee("partner_colleague")
    form = {"key": "partner_data", "duration": "1h", "reason": "x", "grantee": grantee}
    no_pair = partner.post("/own/ask", **form, operations="Encrypt", context="dataset", act="ask")
    assert (no_pair.status_code, "a pair a line" in no_pair.text) == (400, True)
    nothing = partner.post("/own/ask", **form, context="a=b", act="ask")
    assert (nothing.status_code, "<code>operations</code>" in nothing.text) == (400, True)
    assert grantee in nothing.text


def test_a_third_party_sees_its_own_alone(stack: Running, partner: Console) -> None:
    """It has no page of the security team, and others' requests are not there."""
    assert "Queue" not in partner.words("/own/")
    assert partner.get("/queue").status_code == 404
    others = stack.call("other_partner", "POST", "/requests", stack.submission("other_partner")).body
    assert partner.get(f"/own/{others['id']}").status_code == 404


def test_who_may_do_nothing(stack: Running) -> None:
    """Whom the broker lets do nothing has no console, and is told so at the start."""
    with pytest.raises(NotPermittedError, match="no policy allows this call"):
        open_console(stack, "outsider")


def test_no_answer(alice: Console) -> None:
    """A broker that does not answer is told on the page; the console stays."""
    with mock.patch("grant_broker.client.http.Connection.call", side_effect=NoAnswerError("no network")):
        answer = alice.get("/queue")
    assert (answer.status_code, "no network" in answer.text) == (502, True)
    assert alice.get("/queue").status_code == 200


def test_nothing_but_an_id_reaches_a_path_of_the_api(alice: Console) -> None:
    """What is no id is no page, whatever it would do in an address; a page that is not there says so."""
    for path in ("/requests/..%2F..%2Fkeys", "/requests/x?y", "/keys/a%3Fb", "/keys/..", "/nowhere"):
        answer = alice.get(path)
        assert (answer.status_code, "That did not work" in answer.text) == (404, True)


def test_a_form_of_no_end(alice: Console) -> None:
    """A form over 64 KiB is not read."""
    answer = alice.post("/own/ask", reason="x" * 70_000)
    assert answer.status_code == 413


@pytest.fixture
def line(stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(stack, monkeypatch, capsys)


def test_it_serves_until_ctrl_c(line: CommandLine) -> None:
    """The command prints its link, opens the browser with it, and ends well by Ctrl-C."""
    served = "grant_broker.client.console.serving.ConsoleServer.serve_forever"
    with mock.patch("webbrowser.open") as opened, mock.patch(served, side_effect=KeyboardInterrupt):
        done = line.run("alice", "console")
        quiet = line.run("alice", "console", "--no-browser")
    assert (done.code, done.err) == (0, "")
    [link] = [text for text in done.out.splitlines() if text.startswith("http://127.0.0.1:")]
    opened.assert_called_once_with(link)
    assert quiet.code == 0
    assert "assumed-role/AWSReservedSSO_KeySecurity_0123456789abcdef/alice" in done.out


def test_a_page_over_http(stack: Running) -> None:
    """Served on 127.0.0.1: the link, then a page with the cookie; others' connections are not answered."""
    client = Client(stack.ready["api_url"], session=stack.session("alice"))
    server = ConsoleServer(find_person(client), 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    with server:
        jar = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        assert "Open the console" in jar.open(server.start_url).read().decode()
        base = server.start_url.partition("/start")[0]
        assert "<h1>Queue</h1>" in jar.open(f"{base}/queue").read().decode()
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{base}/queue")  # noqa: S310 - our own server
        server.shutdown()
        thread.join()
    assert server.server_address[0] == "127.0.0.1"


def test_a_busy_port(line: CommandLine) -> None:
    """A port that is taken is told in one line, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = line.run("alice", "console", "--no-browser", "--port", port)
    assert (done.code, done.out) == (2, "")
    words = f"grant-broker: port {port}: Address already in use. Next: give another --port, or none\n"
    assert done.err == words


def test_without_its_library(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Flask is not installed, the command says what to install."""
    for name in [name for name in sys.modules if name.startswith("grant_broker.client.console")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "flask", None)
    done = line.run("alice", "console")
    assert (done.code, "Next: pip install grant-broker[console]" in done.err) == (3, True)


def test_other_commands_do_without_it() -> None:
    """Nothing but the console loads Flask."""
    code = (
        "import sys, pkgutil, importlib, grant_broker.client.commands as commands\n"
        "for found in pkgutil.iter_modules(commands.__path__):\n"
        "    importlib.import_module(f'{commands.__name__}.{found.name}')\n"
        "print('flask' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert run.stdout == "False\n"
