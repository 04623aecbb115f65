"""Who races: any number of approvers, each a person of their own, and the partner's application."""

from grant_broker.domain.people import Caller
from tests.local_stack import people
from tests.support.scene import InProcessStack


def approver(scene: InProcessStack, number: int) -> Caller:
    """One of the security team: an Identity Center session tells persons apart."""
    role = people.approver_roles()[0]
    arn = f"arn:aws:sts::{people.HOME}:assumed-role/{role.rpartition('/')[2]}/approver-{number}"
    return Caller(arn, people.HOME, people.unique_id(scene.deployment.cloud, role), f"approver-{number}")


def partner(scene: InProcessStack) -> Caller:
    """The third party's application."""
    person = scene.deployment.people["partner"]
    unique_id = people.unique_id(scene.deployment.cloud, str(person.grantee))
    return Caller(person.credentials.arn, people.PARTNER, unique_id, "application")
