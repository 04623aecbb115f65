"""Events as EventBridge takes them: by bytes, whole, and each refused one alone."""

import json
from typing import Any, cast

import pytest

from grant_broker.aws.event_bus import LARGEST, EventBus, batches_of, entry_of
from grant_broker.domain.trail import Event
from tests.local_aws.limits import entry_size
from tests.support.announcements import Sent, event


def _large(number: int, characters: int, character: str = "ä") -> Event:
    return event(number, "submitted", reason=character * characters)


@pytest.fixture
def sent() -> Sent:
    """EventBridge."""
    return Sent()


def _publish(sent: Sent, *events: Event) -> list[int]:
    """Publish; the bytes of each call."""
    sizes: list[int] = []
    bus = EventBus(cast("Any", sent), lambda _: None)
    for batch in batches_of(map(entry_of, events)):
        before = len(sent.entries)
        assert all(bus.put(batch))
        sizes.append(sum(map(entry_size, sent.entries[before:])))
    return sizes


def test_calls_are_filled_by_bytes(sent: Sent) -> None:
    """Three events of 87 KB each are more than one call takes: two go in the first, one in the second."""
    sizes = _publish(sent, *(_large(number, 43_500) for number in (1, 2, 3)))
    assert sent.calls == [2, 1]
    assert max(sizes) <= 256_000


def test_sizes_are_counted_as_eventbridge_does() -> None:
    """The entry's own count is that of source, type, detail and 14 bytes of time, in UTF-8."""
    for batch in batches_of(map(entry_of, [event(), _large(2, 100, "😀"), event(3, "ä" * 20)])):
        assert [entry.size for entry in batch] == [entry_size(cast("Any", entry.fields)) for entry in batch]


def test_text_is_published_in_utf_8(sent: Sent) -> None:
    """What is no ASCII takes its two to four bytes, not the six or twelve of an escape."""
    for character, size in (("ä", 2), ("語", 3), ("😀", 4)):
        [plain, wide] = _publish(sent, _large(1, 10_000, "a")), _publish(sent, _large(1, 10_000, character))
        assert wide[0] - plain[0] == 10_000 * (size - 1)


def test_ten_entries_a_call(sent: Sent) -> None:
    """Small events go ten a call."""
    _publish(sent, *(event(number) for number in range(1, 26)))
    assert sent.calls == [10, 10, 5]


@pytest.mark.parametrize("field", ["detail", "by", "type"])
def test_a_forged_event_of_any_size_is_published_reduced(sent: Sent, field: str) -> None:
    """What no call could take is announced with what finds it, and holds up nothing."""
    forged = event().model_copy(update={field: {"x": "y" * LARGEST} if field == "detail" else "y" * LARGEST})
    sizes = _publish(sent, event(1), forged, event(3))
    assert sum(sent.calls) == 3
    assert max(sizes) < 10_000
    shown = json.loads(sent.entries[1]["Detail"])
    assert (shown["id"], shown["subject"], shown["hash"]) == (forged.id, forged.subject, forged.hash)
    assert "GET /security/events" in shown["detail"]["omitted"]
    assert len(sent.entries[1]["DetailType"]) <= 128
