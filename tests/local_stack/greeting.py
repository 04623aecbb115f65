"""What `serve` says once it is up: where everything is, who is who, and a first call to copy."""

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

WHO_IS_WHO = {
    "partner": "a third party's application: asks, and encrypts",
    "partner_colleague": "another role of the same account",
    "other_partner": "another third party",
    "outsider": "an account that is not trusted",
    "alice": "security team, by Identity Center: decides",
    "bob": "security team, by Identity Center: a second person",
    "carol": "security team, by Identity Center: a third person",
    "alice_in_review": "alice with another permission set: no second person",
    "duty": "security team, by an ordinary role",
    "duty_again": "the same role in another session: no second person",
    "impostor": "alice's name under a role that is not on the list",
    "key_admin": "manages keys and cannot use them",
    "data_reader": "the EC2 role that reads what was encrypted",
    "root": "the home account's root user",
}
_ASK = 'request --key partner_data --context dataset=orders --duration 1h --reason "my first grant"'


def greeting(ready: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines; `ready` is what the ready file says."""
    yield f"API       {ready['api_url']}"
    yield f"contract  {ready['api_url'].rpartition('/')[0]}/openapi.html"
    yield f"AWS       {ready['aws_url']}"
    yield "\nWho is who, each with credentials in the ready file (--ready-file F):"
    people = ready["people"]
    yield from (f"  {name:<18} {people[name]['account']}  {who}" for name, who in WHO_IS_WHO.items())
    yield "\nA first call, as the partner, in a shell of its own:"
    yield from _shell(ready, "partner", _ASK)
    yield "\nand in another one what the security team makes of it, as alice:"
    yield from _shell(ready, "alice", "queue")
    yield "\nThen `approve ID` as alice; `wait ID --take-up` and `encrypt ID FILE` as the partner."
    yield "How to be somebody else: .github/docs/local-stack.md. Stop with Ctrl-C."


def _shell(ready: Mapping[str, Any], person: str, command: str) -> Iterator[str]:
    who = ready["people"][person]
    variables = {
        "GRANT_BROKER_URL": ready["api_url"],
        "AWS_ENDPOINT_URL": ready["aws_url"],
        "AWS_REGION": ready["region"],
        "AWS_DEFAULT_REGION": ready["region"],  # the name that boto3 and the first AWS CLI read
        "AWS_ACCESS_KEY_ID": who["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": who["secret_access_key"],
        "AWS_SESSION_TOKEN": who["session_token"],
    }
    yield "  export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    yield f"  {_program()} {command}"


def _program() -> str:
    """Return the command as it is called from here: beside this interpreter, as the README installs it."""
    beside = Path(sys.executable).with_name("grant-broker")
    return os.path.relpath(beside) if beside.exists() else beside.name
