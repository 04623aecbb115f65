"""The access report as the API shows it."""

from dataclasses import fields
from datetime import UTC, datetime

from grant_broker.access_report import AccessEntry, AccessFinding, AccessReport, Through
from grant_broker.api.shapes import access as shapes
from grant_broker.api.views.access import report_view
from grant_broker.domain.key_usage import LastUse
from grant_broker.keys.access import AccessPage

AT = datetime(2030, 1, 1, tzinfo=UTC)
ENTRY = AccessEntry(
    principal="arn:aws:iam::444455556666:role/application",
    actions=("kms:Encrypt",),
    through=Through("grant", grant_id="g", request_id="0" * 32),
    constraint={"EncryptionContextEquals": {"number": "7"}},
    until=datetime(2030, 1, 1, tzinfo=UTC),
    findings=("grant_with_decrypt",),
)


def test_the_first_page() -> None:
    """Entries, findings and counts; of `through` and of a finding only what is known is there."""
    findings = (AccessFinding("everyone", "words", "*"), AccessFinding("more", "words"))
    report = AccessReport((ENTRY,), findings, {"grants": 1})
    page = AccessPage([ENTRY], report, None, LastUse(AT, "Encrypt", AT, "e"))
    assert report_view(page, {}, cursor="next") == {
        "items": [
            {
                "principal": "arn:aws:iam::444455556666:role/application",
                "actions": ["kms:Encrypt"],
                "through": {"kind": "grant", "grant_id": "g", "request_id": "0" * 32},
                "constraint": {"EncryptionContextEquals": {"number": "7"}},
                "until": "2030-01-01T00:00:00Z",
                "usage": None,
                "findings": ["grant_with_decrypt"],
            }
        ],
        "findings": [
            {"code": "everyone", "detail": "words", "principal": "*"},
            {"code": "more", "detail": "words"},
        ],
        "counts": {"grants": 1},
        "last_used": {
            "at": "2030-01-01T00:00:00Z",
            "operation": "Encrypt",
            "event_id": "e",
            "since": "2030-01-01T00:00:00Z",
        },
        "cursor": "next",
    }


def test_a_later_page() -> None:
    """Findings and counts came with the first page; what has no constraint and no end says null."""
    entry = AccessEntry("*", (), Through("key_policy", sid="Use"))
    page = report_view(AccessPage([entry], None, None), {}, cursor=None)
    assert (page["findings"], page["counts"], page["cursor"], page["last_used"]) == ([], {}, None, None)
    assert (page["items"][0]["constraint"], page["items"][0]["until"]) == (None, None)


def test_the_shape_of_through() -> None:
    """What gives an access has the same fields in the report as in the API's shape."""
    assert {field.name for field in fields(Through)} == set(shapes.Through.__annotations__)
