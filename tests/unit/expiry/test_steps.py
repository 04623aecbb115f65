"""What the agenda asks for, and who does it."""

from grant_broker.domain.lifecycle import Action
from grant_broker.expiry import steps


def test_every_action_of_the_agenda_has_its_step() -> None:
    """What is on the agenda and nobody does would be put off for ever."""
    assert set(steps._STEPS) == set(Action)  # noqa: SLF001 - the table is what is tested
