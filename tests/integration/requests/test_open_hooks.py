"""A ticket hook on a stack that lets requests go on whose ticket cannot be checked."""

from collections.abc import Callable

from tests.local_stack.tickets import HOOK
from tests.support.scene import InProcessStack


def test_open_where_it_is_set_so(deploy: Callable[..., InProcessStack]) -> None:
    """What cannot be checked goes on, and is counted; what does not stand is refused all the same."""
    scene = deploy(TicketHookFailure="open")
    assert scene.limit(ticket_hook=HOOK).status == 200
    request_id = scene.active(ticket="THROTTLED")
    assert scene.status(request_id) == "active"
    assert scene.measured("TicketHookFailures") == [1, 1]
    assert scene.submit(ticket="INC-1").status == 400
    assert scene.submit().status == 400
