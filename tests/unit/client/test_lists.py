"""Lists over several pages, and who the caller is."""

from unittest import mock

import boto3
import pytest
from botocore.exceptions import NoCredentialsError

from grant_broker.client import Client, CredentialsError
from tests.support.scripted_api import Reply, scripted_api
from tests.support.shown_requests import shown


def test_pages() -> None:
    """A list is read page after page to its end, each item once; a filter stays the same."""
    answers: list[Reply] = [
        (200, {"items": [shown(number=1), shown(number=2)], "cursor": "c-1"}, {}),
        (200, {"items": [shown(number=3)], "cursor": None}, {}),
    ]
    with scripted_api(*answers) as api:
        client = Client(api.url, session=boto3.Session("AKIDEXAMPLE", "secret", region_name="eu-central-1"))
        found = [request["id"][-1] for request in client.list_requests(status="active")]
        assert found == ["1", "2", "3"]
        assert api.calls == [
            "GET /live/requests?limit=100&status=active",
            "GET /live/requests?limit=100&status=active&cursor=c-1",
        ]


def test_a_report_over_several_pages() -> None:
    """The access report holds the grants of all pages, with the findings of the first."""
    answers: list[Reply] = [
        (200, {"items": [1], "findings": ["f"], "counts": {"grants": 2}, "cursor": "c-1"}, {}),
        (200, {"items": [2], "findings": [], "counts": {}, "cursor": None}, {}),
    ]
    with scripted_api(*answers) as api:
        client = Client(api.url, session=boto3.Session("AKIDEXAMPLE", "secret", region_name="eu-central-1"))
        report = client.security.get_access("k")
    assert report == {"items": [1, 2], "findings": ["f"], "counts": {"grants": 2}, "cursor": None}


def test_a_report_whose_findings_come_late() -> None:
    """Findings and counts over all grants take the place of what the first page knew."""
    answers: list[Reply] = [
        (200, {"items": [1], "findings": ["so far"], "counts": {}, "cursor": "c-1"}, {}),
        (200, {"items": [2], "findings": ["f"], "counts": {"grants": 3}, "cursor": "c-2"}, {}),
        (200, {"items": [3], "findings": [], "counts": {}, "cursor": None}, {}),
    ]
    with scripted_api(*answers) as api:
        client = Client(api.url, session=boto3.Session("AKIDEXAMPLE", "secret", region_name="eu-central-1"))
        report = client.security.get_access("k")
    assert report == {"items": [1, 2, 3], "findings": ["f"], "counts": {"grants": 3}, "cursor": None}


def test_nobody_in_particular() -> None:
    """Where STS does not say who calls, the next step is told."""
    sts = mock.Mock(get_caller_identity=mock.Mock(side_effect=NoCredentialsError))
    session = mock.Mock(region_name="eu-central-1", client=lambda _: sts)
    with pytest.raises(CredentialsError, match=r"sign in again.* or name a grantee"):
        _ = Client("http://127.0.0.1:1", session=session).principal
