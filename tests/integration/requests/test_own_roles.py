"""The broker's own roles are granted nothing: neither asked for nor approved ahead, nor by `requests`."""

import pytest
from botocore.exceptions import ClientError

from tests.local_stack.deployment import STACK
from tests.local_stack.template import generated_name
from tests.support.environments import FUNCTIONS
from tests.support.scene import InProcessStack

HOME = "111122223333"
NAMES = [generated_name(STACK, f"{name.title()}Role") for name in FUNCTIONS]
OWN = [
    *(f"arn:aws:iam::{HOME}:role/{name}" for name in NAMES),
    f"arn:aws:sts::{HOME}:assumed-role/{NAMES[0]}/any",
    # A path is lost in session ARNs, and no two roles of an account share a name.
    f"arn:aws:iam::{HOME}:role/path/{NAMES[0]}",
]


@pytest.fixture
def home(scene: InProcessStack) -> InProcessStack:
    """The key is open to the home account too."""
    assert scene.limit(accounts=[HOME, "444455556666"]).status == 200
    return scene


@pytest.mark.parametrize("grantee", OWN)
def test_not_asked_for(home: InProcessStack, grantee: str) -> None:
    """A submission that names one is refused, and says which field."""
    answer = home.submit("key_admin", grantee=grantee)
    assert answer.status == 400
    assert answer.body["errors"] == [
        {"field": "grantee", "message": "name another principal: the broker's own roles are granted nothing"}
    ]
    assert home.stored() == []


@pytest.mark.parametrize("grantee", OWN)
def test_not_approved_ahead(home: InProcessStack, grantee: str) -> None:
    """Nor is a standing approval made for one."""
    answer = home.approve_ahead(account=HOME, grantee=grantee)
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "grantee")


def test_other_roles_of_the_account_may_be(home: InProcessStack) -> None:
    """The data reader is the stack's too, but no function's: it may be granted."""
    assert home.submit("key_admin", grantee=home.grantee("data_reader")).status == 201


@pytest.mark.parametrize("grantee", OWN[:6])
def test_the_fence_refuses_what_got_past(scene: InProcessStack, grantee: str) -> None:
    """With the credentials of `requests` itself KMS refuses the grant."""
    client = scene.deployment.cloud.session(scene.deployment.credentials("requests")).client("kms")
    with pytest.raises(ClientError, match="explicit deny") as refusal:
        client.create_grant(
            KeyId=scene.key_arn,
            GranteePrincipal=grantee,
            RetiringPrincipal=scene.deployment.template.reference("ExpiryRole", "Arn"),
            Operations=["Encrypt"],
            Constraints={"EncryptionContextEquals": {"tenant": "a"}},
        )
    assert refusal.value.response["Error"]["Code"] == "AccessDeniedException"
