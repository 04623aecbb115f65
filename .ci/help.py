#!/usr/bin/env python3
"""docs/commands.md shows the command line's present help between its markers: help.py [write]."""

import difflib
import os
import subprocess
import sys
from pathlib import Path

BEGIN, END = "<!-- help -->\n", "<!-- /help -->"
PAGE = Path(__file__).parents[1] / ".github" / "docs" / "commands.md"


def printed() -> str:
    """What `grant-broker --help` prints, 100 columns wide."""
    command = [str(Path(sys.executable).with_name("grant-broker")), "--help"]
    environment = os.environ | {"COLUMNS": "100"}
    run = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)  # noqa: S603 - our own command
    return run.stdout


def main() -> None:
    """Compare, or write; the difference is an error."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    shown, marker, after = rest.partition(END)
    if not marker:
        sys.exit(f"{PAGE.name} lacks the markers {BEGIN}{END}")
    wanted = f"\n```\n{printed()}```\n\n"
    if "write" in sys.argv[1:]:
        PAGE.write_text(f"{before}{BEGIN}{wanted}{END}{after}", "utf-8")
    elif shown != wanted:
        old, new = shown.splitlines(keepends=True), wanted.splitlines(keepends=True)
        difference = "".join(difflib.unified_diff(old, new, PAGE.name, "--help"))
        sys.exit(f"{difference}write it with: .venv/bin/python .ci/help.py write\n")


if __name__ == "__main__":
    main()
