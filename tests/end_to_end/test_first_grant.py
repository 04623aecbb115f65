"""The operator's first grant: the very lines that it shows, run by two persons with curl."""

import json
import re
import shutil

import pytest

from tests.end_to_end.conftest import Running
from tests.end_to_end.shell import environment, run
from tests.local_stack.people import HOME
from tests.support.documents import PAGES, section

PEOPLE = {"approver": "alice", "requester": "key_admin"}
# Who says a block, from the prose before it; then the block.
_BLOCK = re.compile(r"\*\*(Both|approver|requester)\*\*(?:(?!\*\*|```).)*```bash\n(.*?)```", re.DOTALL)


def blocks() -> tuple[str, list[tuple[str, str]]]:
    """What both say first, and then each step: who, and what."""
    found = _BLOCK.findall(section(PAGES / "operator.md", "Your first grant"))
    assert found[0][0] == "Both"
    return found[0][1], found[1:]


def own_key(stack: Running) -> str:
    """A key that nobody has registered, under the policy of the founding scenario's."""
    kms = stack.aws("root", "kms")
    policy = kms.get_key_policy(KeyId=stack.key)["Policy"]
    return str(kms.create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["Arn"])


@pytest.mark.skipif(
    not shutil.which("curl"), reason="NOT SHOWN: the first grant needs curl, which is not here"
)
def test_the_first_grant(stack: Running) -> None:
    """Five steps from the outputs to an encrypted byte; without the fourth KMS refuses it."""
    first, steps = blocks()
    assert [who for who, _ in steps] == ["approver", "requester", "approver", "requester", "requester"]
    key = own_key(stack)
    told = {
        who: environment(stack, person) | {"GRANTEE": stack.grantee(person), "KEY": key}
        for who, person in PEOPLE.items()
    }
    for who, block in steps[:3]:
        code, said = run(told[who], first, block)
        assert code == 0, said
    take_up, encrypt = (block for _, block in steps[3:])
    code, said = run(told["requester"], first, "TOKEN=none", encrypt)
    assert code != 0
    assert "InvalidGrantTokenException" in said or "AccessDeniedException" in said
    code, said = run(told["requester"], first, take_up, encrypt)
    assert code == 0, said
    assert json.loads(said)["CiphertextBlob"]


def test_it_says_who_is_needed() -> None:
    """Two persons, roles that approve, a mail to confirm, and the home account as the third party."""
    text = section(PAGES / "operator.md", "Your first grant")
    for words in ("Two persons", "a role, not a human", "must be confirmed", "home\naccount may play"):
        assert words in text
    assert HOME not in text


def test_every_query_is_in_alphabetical_order() -> None:
    """Curl signs a query as it stands; AWS in the order of its names."""
    first, steps = blocks()
    queries = re.findall(r"\?([a-z_=&\d]+)", "\n".join([first, *(block for _, block in steps)]))
    assert len(queries) == 2
    for query in queries:
        names = [part.partition("=")[0] for part in query.split("&")]
        assert names == sorted(names)
