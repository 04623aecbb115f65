"""A key's limits in an editor: what a change widens is said before it is sent."""

from typing import TYPE_CHECKING, cast

import click
import yaml
from pydantic import ValidationError

from grant_broker.client.desired_state import fault_lines
from grant_broker.client.reviewing import print_change
from grant_broker.domain.key_document import KeyDocument, compare

if TYPE_CHECKING:
    from grant_broker.api.shapes.keys import Limits, Votes
    from grant_broker.client.api_command import Api

_HEAD = """\
# The limits of this key. Save to send them, leave as they are to change nothing.
# Durations as in PT2H or P1D; null for none.
"""
_FAULT = "# ! "


def edit_document(present: "Limits") -> "Limits | None":
    """The limits as somebody left them in the editor; None where they are as before.

    What cannot be read comes back with the faults at its head, until it can or nothing is changed any more.
    """
    text = _HEAD + yaml.safe_dump(dict(present), sort_keys=False)
    while True:
        edited = click.edit(text, extension=".yaml")
        if edited is None or edited == text:
            return None
        try:
            wanted = read_document(edited)
        except ValueError as error:
            faults = [f"{_FAULT}{line}" for line in str(error).splitlines()]
            kept = [line for line in edited.splitlines() if not line.startswith(_FAULT)]
            text = "\n".join([*faults, *kept, ""])
        else:
            return wanted if wanted != present else None


def read_document(text: str) -> "Limits":
    """A key's limits from YAML, as the API shows them; ValueError says every fault, a line each."""
    try:
        return normalised(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML: {error}") from error


def normalised(document: object) -> "Limits":
    """A key's limits as the API shows them; ValueError says every fault, a line each."""
    try:
        found: Limits = KeyDocument.model_validate(document).model_dump(mode="json")  # type: ignore[assignment]
    except ValidationError as error:
        raise ValueError("\n".join(fault_lines(error))) from error
    return found


def widened_by(present: "Limits", wanted: "Limits") -> tuple[str, ...]:
    """The fields by which a change allows more than before, by the broker's own rule."""
    return compare(KeyDocument.model_validate(present), KeyDocument.model_validate(wanted)).widened


def send_document(
    api: "Api", key_id: str, present: "Limits", wanted: "Limits", *, version: str, yes: bool
) -> None:
    """Say what a change does, ask where it widens, and send it. PreconditionFailedError where it is late."""
    widened = widened_by(present, wanted)
    print_change(present, wanted, widened)
    if widened:
        api.confirm(f"This widens {', '.join(widened)}. Send it?", yes=yes)
    answer = api.client.security.put_key(key_id, wanted, if_match=version)
    if "votes" in answer:
        votes = cast("Votes", answer)
        api.say(f"{votes['votes']} of {votes['quorum']} votes: others vote with `grant-broker keys vote`")
    else:
        api.say("changed")
