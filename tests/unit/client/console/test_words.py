"""What the pages say of the API's values."""

from datetime import UTC, datetime

import pytest

from grant_broker.client.console.words import clock, duration_in_words, limit_in_words, name_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("PT2H", "2 h"),
        ("P1DT2H30M", "1 d 2 h 30 min"),
        ("PT90S", "90 s"),
        ("P", "P"),
        ("soon", "soon"),
    ],
)
def test_duration(text: str, words: str) -> None:
    """A duration is read at a glance; another text stays as it is."""
    assert duration_in_words(text) == words


def test_clock() -> None:
    """Today's times are without their date."""
    today = datetime.now(UTC).replace(microsecond=0)
    assert clock(today.isoformat()) in {f"{today:%H:%M:%S} UTC", f"{today:%Y-%m-%d %H:%M:%S} UTC"}
    assert clock("2020-01-31T09:30:00Z") == "2020-01-31 09:30:00 UTC"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "yes"),
        (False, "no"),
        (2, "2"),
        (None, "none"),
        ([], "none"),
        ("PT8H", "8 h"),
        (["Encrypt", "ReEncryptTo"], "Encrypt, ReEncryptTo"),
        ({"dataset": "orders"}, '{"dataset": "orders"}'),
    ],
)
def test_limit(value: object, words: str) -> None:
    """A key's limits are read without knowing JSON or ISO 8601."""
    assert limit_in_words(value) == words


def test_name() -> None:
    """A role is called by its name, a session by the person's."""
    assert name_of("arn:aws:iam::444455556666:role/team/upload") == "upload"
    assert name_of("arn:aws:sts::444455556666:assumed-role/duty/alice") == "alice"
