"""What to do when an alarm goes off: the descriptions of the template's alarms as a table.

`python -m tests.infrastructure.runbooks` prints it as Markdown.
"""

from collections.abc import Iterator

from tests.infrastructure.stack import template

_MARK = "Runbook:"


def markdown() -> Iterator[str]:
    """Yield the table, in the template's order, with the alarms that a parameter brings."""
    yield "| alarm | says that | do |"
    yield "|---|---|---|"
    whole = template(Archive="yes")
    for name in whole.named("AWS::CloudWatch::Alarm"):
        what, _, todo = whole.properties(name)["AlarmDescription"].partition(_MARK)
        yield f"| {name} | {what.strip()} | {todo.strip()} |"


if __name__ == "__main__":
    print("\n".join(markdown()))
