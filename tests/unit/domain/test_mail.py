"""One mail about many notices."""

from grant_broker.domain.mail import LARGEST_DIGEST, compose_digest
from tests.support.announcements import told_of


def test_the_urgent_comes_first_and_what_is_due_first_before_the_rest() -> None:
    """A digest begins with drift, and its new requests with the one that lapses first."""
    late, soon = told_of(answer_by="2026-03-09T12:00:00Z"), told_of(answer_by="2026-03-02T12:00:00Z")
    mail = compose_digest([told_of("active"), late, soon, told_of("drift")])
    assert mail.subject == "Grant broker: drift, new request (2), granted"
    heads = [part.split("\n")[0] for part in mail.message.split("-" * 60 + "\n")]
    assert heads == [
        "drift (drift)",
        "new request (submitted)",
        "new request (submitted)",
        "granted (active)",
    ]
    assert mail.message.index("2026-03-02") < mail.message.index("2026-03-09")


def test_what_has_no_room_is_counted() -> None:
    """A digest tells as much as fits in full, how much more there is, until when, and where to read it."""
    many = [
        told_of(answer_by=f"2026-03-04T12:{n // 60:02d}:{n % 60:02d}Z", reason="r" * 300) for n in range(600)
    ]
    mail = compose_digest(many)
    told = mail.message.count("new request (submitted)")
    assert len(mail.message) < LARGEST_DIGEST + told * 62 + 1_000
    assert f"And {600 - told} more: new request ({600 - told})." in mail.message
    first = 0 if told == 600 else told
    assert f"to be answered by 2026-03-04T12:{first // 60:02d}:{first % 60:02d}Z" in mail.message
    assert "GET /security/requests?status=pending" in mail.message


def test_notices_without_a_deadline_have_no_first() -> None:
    """Of what nobody has to answer no deadline is told."""
    mail = compose_digest([told_of("active", reason="r" * 300) for _ in range(600)])
    assert "more: granted" in mail.message
    assert "to be answered by" not in mail.message
