"""A ticket has to stand from the submission to the grant, over signed HTTP."""

from tests.end_to_end.conftest import Running
from tests.local_stack.people import PARTNER
from tests.local_stack.tickets import HOOK
from tests.support.limits import limits


def test_from_the_submission_to_the_grant(stack: Running) -> None:
    """None, an unknown one, one that cannot be checked, one that is closed since, and one that stands."""
    admin = stack.aws("key_admin", "kms")
    policy = admin.get_key_policy(KeyId=stack.key, PolicyName="default")["Policy"]
    key_id = str(admin.create_key(Policy=policy)["KeyMetadata"]["KeyId"])
    name = f"ticketed_{key_id[:8]}"
    document = limits(name=name, accounts=[PARTNER], ticket_hook=HOOK)
    assert stack.call("alice", "PUT", f"/security/keys/{key_id}", document).status == 201

    def submit(**ticket: str) -> tuple[int, str]:
        answer = stack.call("partner", "POST", "/requests", stack.submission(key=name, **ticket))
        return answer.status, str(answer.body.get("id") or answer.body["detail"])

    assert [submit()[0], submit(ticket="INC-1")[0], submit(ticket="THROTTLED")[0]] == [400, 400, 503]
    for ticket, taken in (("CHG-91", 409), ("CHG-1", 201)):
        status, request_id = submit(ticket=ticket)
        assert status == 201
        path = f"/requests/{request_id}"
        approved = stack.call("alice", "POST", f"/security{path}/decision", {"verdict": "approve"})
        assert approved.status == 200
        assert stack.call("partner", "POST", f"{path}/grant").status == taken
