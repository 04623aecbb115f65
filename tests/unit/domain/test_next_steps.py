"""What a mail says to do next."""

import pytest

from tests.support.announcements import told_about, told_of

KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"


@pytest.mark.parametrize(
    ("subject", "kind", "commands"),
    [
        (f"key#{KEY_ARN}", "key_changed", [f"Next: grant-broker keys show {KEY_ARN}"]),
        ("key#alias/x", "key_changed", []),
        ("account#444455556666", "account_changed", ["Next: grant-broker accounts show 444455556666"]),
        ("account#$(rm)", "account_changed", []),
        ("revocation#a1\nb", "revocation_made", []),
        ("approval#1", "approval_made", []),
    ],
)
def test_commands_to_copy(subject: str, kind: str, commands: list[str]) -> None:
    """What is about a key or an account says how to look at it; what is no id is in no command."""
    assert [
        line for line in told_about(subject, kind).text.split("\n") if "grant-broker " in line
    ] == commands


def test_a_grant_says_how_to_take_it_back() -> None:
    """And its end, how to look at it."""
    assert told_of("active").text.endswith("Take back: grant-broker revoke 1 --reason WHY")
    assert told_of("expired").text.endswith("Next: grant-broker show 1")


def test_a_revocation_says_how_to_follow_and_to_lift_it() -> None:
    """By the API, under its own id."""
    path = "/security/revocations/a1"
    assert (
        f"Next: GET {path} shows how far it is; DELETE {path} lifts"
        in told_about("revocation#a1", "revocation_made").text
    )


def test_break_glass_says_who_must_look() -> None:
    """Its mail has the reason, and the commands to sign it off or to take it back."""
    told = told_of("break_glass", emergency="outage")
    assert told.title == "break-glass was used: somebody else must review it"
    assert "grant-broker reviews sign-off break-glass 1 --comment WHAT" in told.text
    assert told.text.endswith("Take back: grant-broker revoke 1 --reason WHY")
    assert '"emergency": "outage"' in told.text
