"""`grant-broker apply`: keys, standing approvals and accounts as code."""

import json
from pathlib import Path

import click

from grant_broker.client.api_command import Api, ApiCommand, yes_option
from grant_broker.client.desired_state import UnreadableError, read_files
from grant_broker.client.exit_codes import CHANGES, DONE
from grant_broker.client.plan import AccountStep, KeyStep, Plan, Step, carry_out, make_plan
from grant_broker.client.printing import printable

_SIGNS = {"none": "=", "create": "+", "change": "~", "vote": "+"}


@click.command("apply", cls=ApiCommand)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--plan", "only_plan", is_flag=True, help="Only say what would be done.")
@yes_option
@click.pass_obj
def command(api: Api, *, files: tuple[Path, ...], only_plan: bool, yes: bool) -> int:
    """Make keys, standing approvals and accounts as YAML files say.

    Each document has a `kind`: key, with the fields of its limits (what is left out stays as it is),
    approval, with those of a standing approval, or account, with the whole of its entry. Where it takes
    several votes, each person applies the same files. Asks before it widens anything, unless --yes.

    \b
    Exit codes in addition to those of all commands:
      0  all is as the files say
      5  with --plan, something would change; without, something waits for others' votes
    """
    try:
        plan = make_plan(api.client.security, read_files(files))
    except UnreadableError as error:
        raise click.UsageError(printable_lines(str(error))) from error
    api.show(plan_view(plan), lambda: print_plan(plan))
    if only_plan or not plan.changes:
        return CHANGES if plan.changes else DONE
    if plan.widens:
        api.confirm("This allows more than before. Apply it?", yes=yes)
    waiting = [
        step for step in plan.steps if step.action != "none" and not carry_out(api.client.security, step)
    ]
    for step in waiting:
        api.say(f"waits for votes: {step.name}. Next: somebody else applies the same files")
    return CHANGES if waiting else DONE


def printable_lines(text: str) -> str:
    """Several lines, none of which can steer the terminal."""
    return "\n".join(map(printable, text.splitlines()))


def plan_view(plan: Plan) -> dict[str, object]:
    """A plan for programs."""
    return {"changes": plan.changes, "steps": list(map(_view, plan.steps)), "unmanaged": list(plan.unmanaged)}


def print_plan(plan: Plan) -> None:
    """Print a plan, a step a line, with the fields that differ below."""
    for step in plan.steps:
        print(printable(f"{_SIGNS[step.action]} {step.name}{_note(step)}"))
        if isinstance(step, KeyStep | AccountStep) and step.before:
            for name, (before, after) in step.changes.items():
                print(
                    printable(
                        f"    {_effect(step, name)}  {name}: {json.dumps(before)} -> {json.dumps(after)}"
                    )
                )
    for name in plan.unmanaged:
        print(printable(f"? {name}: not in these files"))


def _view(step: Step) -> dict[str, object]:
    own = {"name": step.name, "action": step.action, "votes": step.votes, "needed": step.needed}
    if isinstance(step, KeyStep | AccountStep):
        own |= {"widened": list(step.widened), "narrowed": list(step.narrowed), "changes": step.changes}
    return own


def _note(step: Step) -> str:
    if step.action == "none":
        return ": as it is"
    votes = f", {step.votes} of {step.needed} votes so far" if step.needed > 1 else ""
    refused = isinstance(step, KeyStep) and not step.may_decide
    return f": {step.action}{votes}{', but your role is no approver of the key' if refused else ''}"


def _effect(step: KeyStep | AccountStep, name: str) -> str:
    if name in step.widened:
        return "widens "
    return "narrows" if name in step.narrowed else "changes"
