"""The contract as each caller is shown it."""

import json
import re
from typing import Any

import pytest

from grant_broker.api.contract import contract_for
from grant_broker.api.openapi.document import document
from grant_broker.api.openapi.routes import THIRD_PARTIES
from tests.support import contract


@pytest.fixture(scope="module")
def side() -> dict[str, Any]:
    """What a third party is shown."""
    return contract_for("/live", is_approver=False)


def test_an_approver_is_shown_all_of_it() -> None:
    """The kept document, and where it was called."""
    assert contract_for("/live", is_approver=True) == {**contract.document(), "servers": [{"url": "/live"}]}


def test_a_domain_of_its_own() -> None:
    """Without a stage or base path the API's paths begin at the root."""
    assert contract_for("", is_approver=False)["servers"] == [{"url": "/"}]


def test_a_third_party_is_shown_its_own_side(side: dict[str, Any]) -> None:
    """What the third parties' routes alone are described with, and no word of the security team's."""
    assert set(side["paths"]) == {operation.path for operation in THIRD_PARTIES}
    wanted = document(THIRD_PARTIES)["components"]
    assert set(side["components"]) == set(wanted)
    assert set(side["components"]["schemas"]) == set(wanted["schemas"])
    assert [tag["name"] for tag in side["tags"]] == ["third parties"]
    assert "/security/" not in json.dumps(side["paths"])


def test_nothing_in_it_leads_nowhere(side: dict[str, Any]) -> None:
    """Every reference and every link has its target."""
    for pointer in re.findall(r'"#(/[^"]+)"', json.dumps(side)):
        part: Any = side
        for name in pointer.strip("/").split("/"):
            part = part[name]
        assert part
    answers = [
        answer
        for methods in side["paths"].values()
        for described in methods.values()
        for answer in described["responses"].values()
    ]
    names = {described["operationId"] for methods in side["paths"].values() for described in methods.values()}
    linked = {name for answer in answers for name in answer.get("links", {})}
    assert {"get_request", "post_grant"} <= linked <= names
