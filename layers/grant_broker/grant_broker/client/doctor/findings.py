"""What an examination finds, each with what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How something is."""

    WELL = "well"
    FAULT = "fault"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, in words. `next_step` is empty where there is nothing to do."""

    state: State
    words: str
    next_step: str = ""


def well(words: str) -> Finding:
    """What is as it should be."""
    return Finding(State.WELL, words)


def fault(words: str, next_step: str) -> Finding:
    """What is not as it should be."""
    return Finding(State.FAULT, words, next_step)


def unknown(words: str, next_step: str) -> Finding:
    """What could not be looked at."""
    return Finding(State.UNKNOWN, words, next_step)
