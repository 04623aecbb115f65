"""A shell of one of the stack's people, for what documents tell them to say."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.end_to_end.conftest import Running
from tests.local_stack.template import ROOT


def environment(stack: Running, person: str) -> dict[str, str]:
    """A shell's variables: the person's credentials, the local AWS, the broker, and the program."""
    who = stack.credentials(person)
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "layers" / "grant_broker"),
        "AWS_ENDPOINT_URL": stack.ready["aws_url"],
        "AWS_DEFAULT_REGION": stack.ready["region"],
        "AWS_REGION": stack.ready["region"],
        "AWS_ACCESS_KEY_ID": who.access_key_id,
        "AWS_SECRET_ACCESS_KEY": who.secret_access_key,
        "AWS_SESSION_TOKEN": who.session_token,
        "GRANT_BROKER_URL": stack.ready["api_url"],
    }


def run(told: dict[str, str], *said: str, folder: Path | None = None) -> tuple[int, str]:
    """Exit code and output of what somebody says in one shell."""
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(  # noqa: S603 - a document's own lines
        [bash, "-c", "\n".join(["set -euo pipefail", *said])],
        env=told,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
