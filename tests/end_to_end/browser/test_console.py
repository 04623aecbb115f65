"""The console in Chromium: see, decide, watch a grant end, revoke; and what others try meanwhile."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from grant_broker.domain.times import format_time
from tests.end_to_end.browser.conftest import EVIL, REBOUND, Serve, findings
from tests.end_to_end.conftest import Running
from tests.local_aws.listening import Handler, Server
from tests.support.limits import limits

if TYPE_CHECKING:
    from playwright.sync_api import Page

HOSTILE = "<img src=x onerror=\"window.taken='over'\"><script>window.taken='over'</script>"


def asked(stack: Running, **changes: Any) -> str:
    """The id of a request that waits."""
    submission = stack.submission(encryption_context={"dataset": "browser"}, **changes)
    return str(stack.call("partner", "POST", "/requests", submission).body["id"])


def status(stack: Running, request_id: str) -> str:
    """Where a request stands."""
    return str(stack.call("alice", "GET", f"/security/requests/{request_id}").body["status"])


def test_see_decide_watch_it_end_revoke(stack: Running, serve: Serve) -> None:
    """A request is decided by the keyboard alone, its grant ends before one's eyes, another is revoked."""
    request_id = asked(stack, duration="PT4S", reason=HOSTILE)
    page = serve("alice").open()
    page.wait_for_url("**/queue")
    reach(page, f"a[href='/requests/{request_id}']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/requests/{request_id}")
    assert HOSTILE in page.inner_text("main")
    assert page.evaluate("window.taken") is None
    page.focus("#comment")
    page.keyboard.type("as agreed")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=as agreed")
    assert stack.call("partner", "POST", f"/requests/{request_id}/grant").status == 201
    watch(page, request_id)
    revoke(stack, page)


def watch(page: "Page", request_id: str) -> None:
    """The picture goes from the last minutes to over without being loaded again."""
    page.goto(page.url.partition("/requests")[0] + "/live?minutes=15")
    bar = page.locator(f"#timelines a[href='/requests/{request_id}']")
    assert "ends in" in (bar.text_content() or "")
    assert bar.locator(".bar.soon").count() == 1
    page.evaluate("window.loaded = 'once'")
    bar.locator(".bar.over").wait_for(timeout=20_000, state="attached")
    assert "expired" in (bar.text_content() or "")
    assert page.evaluate("window.loaded") == "once"
    page.get_by_role("button", name="Pause updating").click()
    assert page.get_by_role("button", name="Go on updating").is_visible()


def revoke(stack: Running, page: "Page") -> None:
    """A grant is revoked by typing whose it is, and by nothing else."""
    held = stack.granted(encryption_context={"dataset": "browser"})
    page.goto(page.url.partition("/live")[0] + f"/requests/{held['id']}")
    page.get_by_label("Reason, for the requester").fill("wrong bucket")
    confirmation = page.get_by_label("to confirm whose access ends")
    confirmation.fill("somebody")
    page.get_by_role("button", name="Revoke").click()
    page.wait_for_selector("[role=alert]")
    assert status(stack, held["id"]) == "active"
    confirmation.fill("partner-application")
    page.get_by_role("button", name="Revoke").click()
    page.wait_for_selector("text=wrong bucket")
    stack.until("revoked", held)


def two_votes(stack: Running) -> str:
    """The id of a key of the home account that needs two votes."""
    admin = stack.aws("key_admin", "kms")
    policy = admin.get_key_policy(KeyId=stack.key, PolicyName="default")["Policy"]
    key_id = str(admin.create_key(Policy=policy)["KeyMetadata"]["KeyId"])
    document = limits(name=f"votes_{key_id[:8]}", accounts=["111122223333"], quorum=2)
    assert stack.call("bob", "PUT", f"/security/keys/{key_id}", document).status == 201
    return key_id


def approved_ahead(stack: Running, key_id: str) -> str:
    """The id of a standing approval that waits for a second vote."""
    body = {
        "key": stack.key.replace(stack.key.rpartition("/")[2], key_id),
        "account": "111122223333",
        "operations": ["Encrypt"],
        "encryption_context": {"dataset": "browser"},
        "max_duration": "PT2H",
        "valid_until": format_time(datetime.now(UTC) + timedelta(days=1)),
        "reason": HOSTILE,
    }
    return str(stack.call("bob", "POST", "/security/approvals", body).body["id"])


def reach(page: "Page", selector: str) -> None:
    """Go by the Tab key until this has the focus."""
    link = page.locator(selector)
    for _ in range(100):
        page.keyboard.press("Tab")
        if link.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_votes_by_the_keyboard(stack: Running, serve: Serve) -> None:
    """A standing approval is voted for and withdrawn, and a wider limit voted for, without a mouse."""
    key_id = two_votes(stack)
    approval_id = approved_ahead(stack, key_id)
    page = serve("alice").open()
    page.wait_for_url("**/queue")
    base = page.url.partition("/queue")[0]
    page.goto(f"{base}/approvals/")
    reach(page, f"a[href='/approvals/{approval_id}']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/approvals/{approval_id}")
    assert page.evaluate("window.taken") is None
    reach(page, "button[value=approve]")
    page.keyboard.press("Enter")
    page.wait_for_selector("dd .status.active")
    page.focus("#confirmation")
    page.keyboard.type("111122223333")
    page.keyboard.press("Enter")
    page.wait_for_selector("dd .status.withdrawn")
    wider = {"max_duration": "PT9H"}
    assert stack.call("bob", "PATCH", f"/security/keys/{key_id}", wider).status == 202
    page.goto(f"{base}/proposals/")
    reach(page, f"form[action='/proposals/{key_id}'] button")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "action => !document.querySelector(action)", arg=f"form[action='/proposals/{key_id}']"
    )
    assert stack.call("bob", "GET", f"/security/keys/{key_id}").body["max_duration"] == "PT9H"
    stack.call("bob", "DELETE", f"/security/keys/{key_id}")


def test_no_finding_of_axe(stack: Running, serve: Serve) -> None:
    """No page, light or dark, has a finding of axe-core, an error, or anything that the policy blocks."""
    held = stack.granted(encryption_context={"dataset": "browser"}, reason=HOSTILE)
    pending = asked(stack, reason=HOSTILE)
    voted = two_votes(stack)
    ahead = approved_ahead(stack, voted)
    wider = {"max_duration": "PT9H", "margin": "PT1M"}
    assert stack.call("bob", "PATCH", f"/security/keys/{voted}", wider).status == 202
    key = f"/keys/{stack.key.rpartition('/')[2]}"
    alice, partner = serve("alice").open(), serve("partner").open()
    pages = {
        "queue": (alice, "/queue"),
        "decide": (alice, f"/requests/{pending}"),
        "revoke": (alice, f"/requests/{held['id']}"),
        "live": (alice, "/live"),
        "ahead": (alice, "/ahead"),
        "keys": (alice, "/keys"),
        "key": (alice, key),
        "access": (alice, f"{key}/access"),
        "trail": (alice, "/trail"),
        "kill-switch": (alice, "/revocations/"),
        "reviews": (alice, "/reviews/"),
        "approvals": (alice, "/approvals/"),
        "approval": (alice, f"/approvals/{ahead}"),
        "votes-on-limits": (alice, "/proposals/"),
        "requests": (partner, "/own/"),
        "own-request": (partner, f"/own/{held['id']}"),
        "own-pending": (partner, f"/own/{pending}"),
        "ask": (partner, "/own/ask"),
    }
    said: list[str] = []
    for page in (alice, partner):
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
    found: list[str] = []
    for name, (page, path) in pages.items():
        page.goto(re.sub(r"(?<=\d)/.*", "", page.url) + path)
        found += findings(page, name)
    assert (found, said) == ([], [])


@contextmanager
def evil_site(html: str) -> Iterator[int]:
    """A site of an attacker's on this machine; its port."""

    class Page(Handler):
        def do_GET(self) -> None:  # noqa: N802 - http.server's name
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(html)))
            self.end_headers()
            self.wfile.write(html.encode())

    with Server(Page, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", [EVIL, "127.0.0.1"])
def test_forged_forms(stack: Running, serve: Serve, host: str) -> None:
    """A form of another site, or of another server on this machine, decides nothing in an open console."""
    request_id = asked(stack)
    console = serve("alice")
    page = console.open()
    address = f"{console.url}/requests/{request_id}/decision"
    form = f"<form method=post action='{address}'><input name=verdict value=approve></form>"
    with evil_site(f"{form}<script>document.forms[0].submit()</script>") as port:
        with page.expect_navigation(url=address) as sent:
            page.goto(f"http://{host}:{port}/")
        answer = sent.value
    assert answer is not None
    assert answer.status == 403
    assert status(stack, request_id) == "pending"


def test_a_frame_and_a_fetch_of_another_site(serve: Serve) -> None:
    """Another server's page on this machine can neither show the console in a frame nor read it."""
    console = serve("alice")
    page = console.open()
    with evil_site(f"<iframe src='{console.url}/queue'></iframe>") as port:
        page.goto(f"http://127.0.0.1:{port}/")
        read = "url => fetch(url, {credentials: 'include'}).then(answer => answer.text(), () => 'refused')"
        assert page.evaluate(read, f"{console.url}/queue") == "refused"
        assert "Queue" not in page.frames[-1].content()


def test_a_rebound_name(serve: Serve) -> None:
    """A name that was pointed to this machine is not answered, whatever the browser holds."""
    console = serve("alice")
    page = console.open()
    answer = page.goto(console.url.replace("127.0.0.1", REBOUND) + "/queue")
    assert answer is not None
    assert answer.status == 421


def test_the_start_link(serve: Serve, browser: Any) -> None:
    """Without the link nobody gets in; its second use, by another browser, ends the session for both."""
    console = serve("alice")
    stranger = browser.new_context().new_page()
    assert stranger.goto(f"{console.url}/queue").status == 403
    page = console.open()
    assert stranger.goto(console.start_url).status == 403
    assert "was used before" in stranger.inner_text("body")
    again = page.reload()
    assert again is not None
    assert again.status == 403


INJECTED = """() => new Promise((resolve) => {
    const blocked = [];
    document.addEventListener("securitypolicyviolation", (each) => {
        if (blocked.push(each.effectiveDirective) === 4) resolve(blocked.sort());
    });
    const main = document.querySelector("main");
    main.insertAdjacentHTML("beforeend", "<img src='http://evil.example/x' onerror='taken = 1'>");
    main.insertAdjacentHTML("beforeend", "<p style='position: fixed'>x</p>");
    const script = document.createElement("script");
    script.textContent = "window.taken = 1";
    main.append(script);
})"""


def test_no_inline_code(serve: Serve) -> None:
    """Were others' markup not escaped, its scripts, styles and requests would still not work."""
    page = serve("alice").open()
    wanted = ["img-src", "script-src-attr", "script-src-elem", "style-src-attr"]
    assert page.evaluate(INJECTED) == wanted
    assert page.evaluate("window.taken") is None
