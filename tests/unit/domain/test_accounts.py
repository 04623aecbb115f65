"""What is said of an account: its bus is its own, and every change is an event."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from grant_broker.domain.accounts import Account, AccountDocument
from grant_broker.domain.recertification import Rhythm
from grant_broker.domain.records import Stamp

HOME, PARTNER = "111122223333", "444455556666"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
BUS = f"arn:aws:events:eu-central-1:{PARTNER}:event-bus/grants"
LOOKS = Rhythm(90 * 86_400, 0).after(NOW)


def stamp(number: int) -> Stamp:
    """An event's stamp."""
    return Stamp(NOW, "alice", f"e{number}")


def faults(account: str, event_bus: str | None) -> list[str]:
    """What is wrong with a bus, by the stack in Frankfurt."""
    document = AccountDocument(account=account, name="acme", event_bus=event_bus)
    return [fault.message for fault in document.bus_faults(home_account=HOME, region="eu-central-1")]


def test_a_bus_is_the_account_s_own_in_the_stack_s_region() -> None:
    """Anybody else's bus, another Region's and the home account's own are refused; none at all is fine."""
    assert faults(PARTNER, None) == faults(HOME, None) == faults(PARTNER, BUS) == []
    assert faults("666677778888", BUS) == ["give a bus of the account 666677778888 itself"]
    elsewhere = BUS.replace("eu-central-1", "us-east-1")
    assert "give a bus in eu-central-1" in faults(PARTNER, elsewhere)[0]
    assert "give null" in faults(HOME, f"arn:aws:events:eu-central-1:{HOME}:event-bus/default")[0]


@pytest.mark.parametrize(
    "fields",
    [
        {"event_bus": "grants"},
        {"event_bus": f"arn:aws:sqs:eu-central-1:{PARTNER}:grants"},
        {"event_bus": BUS.replace("arn:aws:", "arn:aws-cn:")},
        {"event_bus": f"{BUS}\n"},
        {"contact": ""},
        {"contact": "a\u202eb"},
        {"contact": "a" * 201},
        {"name": "Acme"},
        {"account": "44445555666"},
        {"quorum": 2},
    ],
)
def test_what_is_no_entry(fields: dict[str, object]) -> None:
    """An ARN of a bus, a text that hides nothing, a name as keys have one, an account; nothing else."""
    with pytest.raises(ValidationError):
        AccountDocument.model_validate({"account": PARTNER, "name": "acme", **fields})


def test_its_life() -> None:
    """Named, changed, taken away and named again: each time an event that says what is different."""
    document = AccountDocument(account=PARTNER, name="acme", contact="night desk")
    named = Account(document=document, created_at=NOW).documented(
        document, stamp(1), person="alice", looks=LOOKS
    )
    moved = named.record.documented(
        document.model_copy(update={"event_bus": BUS}), stamp(2), person="alice", looks=LOOKS
    )
    gone = moved.record.withdrawn(stamp(3))
    again = gone.record.documented(document, stamp(4), person="alice", looks=LOOKS)
    told = [change.event for change in (named, moved, gone, again) if change.event]
    assert [(event.type, event.detail.get("changed")) for event in told] == [
        ("account_registered", ["account", "name", "contact"]),
        ("account_changed", ["event_bus"]),
        ("account_withdrawn", None),
        ("account_registered", ["account", "name", "contact"]),
    ]
    assert [event.subject for event in told] == [f"account#{PARTNER}"] * 4
    assert [change.record.known for change in (named, moved, gone, again)] == [True, True, False, True]
