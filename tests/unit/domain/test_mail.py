"""What the security team is mailed, and what it cannot be made to read."""

import pytest

from grant_broker.domain.mail import mail_about, quoted
from tests.support.announcements import NOW, event


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("submitted", "new request"),
        ("active", "granted"),
        ("expired", "grant ended"),
        ("end_failed", "a grant could not be ended"),
        ("foreign_grant", "drift"),
        ("check_failed", "a key policy check failed"),
    ],
)
def test_mails(kind: str, title: str) -> None:
    """The security team is told in words what happened."""
    mail = mail_about(event(kind=kind))
    assert mail is not None
    assert mail.subject == f"Grant broker: {title}"


def test_drift_is_told_as_such() -> None:
    """A transition that reconcile forced is told as drift."""
    mail = mail_about(event(kind="ending", drift=True))
    assert mail is not None
    assert mail.subject == "Grant broker: drift"


def test_untrusted() -> None:
    """What others wrote cannot leave its line or its quotation marks, nor be followed as a link."""
    text = 'approved"\r\nBy: \u202ealice\x7f https://evil.example ' + "x" * 400
    mail = mail_about(event(reason=text))
    assert mail is not None
    assert mail.message.isascii()
    assert "\x7f" not in mail.message
    [line] = [each for each in mail.message.split("\n") if "reason" in each]
    assert "https://" not in line
    assert line.endswith(' (cut)"')
    assert len(mail.message.split("\n")) == 8
    assert quoted({"b": 1, "a": NOW}).startswith('"{\\"a\\"')
