"""A key of another Region, through the same broker."""

from tests.local_aws.cloud import ELSEWHERE
from tests.local_stack.demo.actors import CONTEXT, DENIED, Actors
from tests.local_stack.demo.steps import DATA, encrypt, request, submission, text_of
from tests.support.limits import limits

_THERE = f"kms@{ELSEWHERE}"


def keys_of_other_regions(actors: Actors) -> None:
    """A key of another Region: its grants are made, checked and ended there, and help nobody at home"""
    policy = actors.stack.deployment.template.properties("PartnerDataKey")["KeyPolicy"]
    key = actors.aws("key_admin", _THERE, "CreateKey", Policy=text_of(policy))["KeyMetadata"]["Arn"]
    path = f"/security/keys/{key.rpartition('/')[2]}"
    nowhere = key.replace(ELSEWHERE, "us-east-1")
    actors.api("alice", "PUT", path, limits(key_arn=nowhere, name="data_there"), expect="400 invalid_request")
    actors.api("alice", "PUT", path, limits(key_arn=key, name="data_there"), expect="201")
    given = {"KeyId": key, "Plaintext": DATA, "EncryptionContext": CONTEXT}
    actors.aws("partner", _THERE, "Encrypt", expect=DENIED, **given)
    asked = submission(actors, "partner", key="data_there")
    made = actors.api("partner", "POST", "/requests", asked, expect="201 pending").body["id"]
    actors.api(
        "bob", "POST", f"/security/requests/{made}/decision", {"verdict": "approve"}, expect="200 approved"
    )
    actors.api("partner", "POST", f"/requests/{made}/grant", expect="201 active")
    actors.aws("partner", _THERE, "Encrypt", **given)
    encrypt(actors, "partner", expect=DENIED)
    actors.api("partner", "DELETE", f"/requests/{made}/grant", expect="202 ending")
    actors.until(lambda: request(actors, f"/requests/{made}")["status"] == "released", "released")
    actors.aws("partner", _THERE, "Encrypt", expect=DENIED, **given)
    actors.api("alice", "DELETE", path, expect="204")
