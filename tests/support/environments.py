"""What each function is told on Lambda, as the template has it."""

from functools import cache

from tests.local_stack.template import Template

FUNCTIONS = ("requests", "approvals", "expiry", "reconcile", "events")


def environment(function: str) -> dict[str, str]:
    """A function's variables: the template's, and the Region, which Lambda itself tells."""
    return {**_template().functions()[function].environment, "AWS_REGION": "eu-central-1"}


@cache
def _template() -> Template:
    given = {"TrustedAccounts": ["444455556666"], "ApproverRoleIds": ["AROA123456789012"]}
    return Template.read(given, account="111122223333", region="eu-central-1", stack="grant-broker")
