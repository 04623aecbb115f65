"""Managed keys."""

from grant_broker.api.views.keys import key_view
from tests.support.limits import WHOLE
from tests.support.records import key


def test_keys() -> None:
    """The security team sees a key's limits as they were written."""
    limits = key(required_context={"tenant": "${account}"})
    view = key_view(limits, may_decide=True)
    assert view.keys() == {"key_arn", *WHOLE, "may_decide"}
    assert (view["required_context"], view["may_decide"]) == ({"tenant": "${account}"}, True)
    roles = key(approvers=("AROAALICE0000000",), requesters=("arn:aws:iam::444455556666:role/a",))
    view = key_view(roles, may_decide=True)
    assert (view["approvers"], view["requesters"]) == (
        ["AROAALICE0000000"],
        ["arn:aws:iam::444455556666:role/a"],
    )
