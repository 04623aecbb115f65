"""The template deployed into a Cloud, in this process: tables, roles, the key, and who calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from os import devnull
from typing import Any

from tests.local_aws.cloud import ELSEWHERE, Cloud, Credentials
from tests.local_aws.s3 import Bucket
from tests.local_stack import people, tickets
from tests.local_stack.people import Person
from tests.local_stack.template import API_ID, Function, Stream, Template
from tests.local_stack.triggers import streams

STACK = "grant-broker"
# What boto3 needs beyond the template; Lambda sets these itself.
_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME"


@dataclass(frozen=True)
class Deployment:
    """A deployed stack. `keys` maps a registered name to the key's ARN."""

    cloud: Cloud
    template: Template
    functions: dict[str, Function]
    people: dict[str, Person]
    keys: dict[str, str]
    request_table: str
    approval_table: str

    @classmethod
    def create(cls, cloud: Cloud, *, parameters: Mapping[str, Any] | None = None) -> "Deployment":
        """Deploy `template.yaml`, the smallest duration being 1 s unless `parameters` says otherwise."""
        people.create_roles(cloud, f"arn:aws:execute-api:{cloud.region}:{cloud.home}:{API_ID}/*")
        given = {
            "TrustedAccounts": list(people.TRUSTED),
            "ApproverRoleIds": [people.unique_id(cloud, role) for role in people.approver_roles()],
            "IdentityCenterRoleIds": [people.unique_id(cloud, r) for r in people.identity_center_roles()],
            "SmallestDuration": 1,
            "FoundingScenario": "yes",
            "KeyRegions": [ELSEWHERE],
            "TicketHooks": [tickets.HOOK, tickets.GONE],
        } | dict(parameters or {})
        cloud.functions.handlers = {tickets.HOOK: tickets.answer}
        template = Template.read(given, account=cloud.home, region=cloud.region, stack=STACK)
        _create_roles(cloud, template)
        _create_keys(cloud, template)
        _create_channels(cloud, template)
        _create_buckets(cloud, template)
        tables = {
            name: _create_table(cloud, template, name) for name in template.named("AWS::DynamoDB::Table")
        }
        # Last: they name all the others, and a stream's ARN is known once its table exists.
        _put_role_policies(cloud, template)
        cloud.stacks[template.stack_id] = template.outputs()
        reader = template.reference("DataReaderRole", "Arn")
        return cls(
            cloud=cloud,
            template=template,
            functions=template.functions(),
            people=people.sign_in(cloud, {"data_reader": (reader, "i-0123456789abcdef0")}),
            keys={"partner_data": template.reference("PartnerDataKey", "Arn")},
            request_table=tables["RequestTable"],
            approval_table=tables["ApprovalTable"],
        )

    def environment(self, function: str) -> dict[str, str]:
        """A function's environment variables, as the template and Lambda itself set them."""
        found = self.functions[function]
        own = {_LAMBDA: self.function_name(function), "AWS_REGION": self.cloud.region}
        return found.environment | own | {"AWS_DEFAULT_REGION": self.cloud.region}

    def credentials(self, function: str) -> Credentials:
        """Fresh credentials of a function's role, as Lambda gives them."""
        return self.cloud.session_for(self.functions[function].role, self.function_name(function))

    def process_environment(self, function: str, aws_url: str) -> dict[str, str]:
        """What a function's own process is told, as on Lambda: its role's credentials, and nobody else's."""
        who = self.credentials(function)
        return self.environment(function) | {
            "AWS_ENDPOINT_URL": aws_url,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_ACCESS_KEY_ID": who.access_key_id,
            "AWS_SECRET_ACCESS_KEY": who.secret_access_key,
            "AWS_SESSION_TOKEN": who.session_token,
            "AWS_CONFIG_FILE": devnull,
            "AWS_SHARED_CREDENTIALS_FILE": devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def function_name(self, function: str) -> str:
        """The function's physical name, which its sessions carry too."""
        return str(self.template.reference(self.functions[function].logical_id, None))

    def function_of(self, principal: str) -> str | None:
        """The function (by its folder) whose role a session's ARN is of; None for anybody else's."""
        role, _, _ = principal.partition(f":{self.cloud.home}:assumed-role/")[2].partition("/")
        return self._by_role.get(role)

    @cached_property
    def _by_role(self) -> dict[str, str]:
        return {found.role.rpartition("/")[2]: name for name, found in self.functions.items()}

    def stream(self, function: str) -> tuple[Stream, ...]:
        """The function's event source mappings, with their filter patterns."""
        return tuple(found for found in streams(self.template) if found.function == function)


def _create_roles(cloud: Cloud, template: Template) -> None:
    for name in template.named("AWS::IAM::Role"):
        arn = template.reference(name, "Arn")
        path = arn.partition(":role")[2].rpartition("/")[0] + "/"
        cloud.create_role(arn.rpartition("/")[2], [], path=path)
        template.physical[name, "RoleId"] = people.unique_id(cloud, arn)


def _create_keys(cloud: Cloud, template: Template) -> None:
    # The key before the policies: they name it, and it names the roles alone.
    for name in template.named("AWS::KMS::Key"):
        given = template.properties(name)
        arn = cloud.create_key(given["KeyPolicy"], Description=given.get("Description", ""))
        template.physical.update({(name, "Arn"): arn, (name, None): arn.rpartition("/")[2]})
    client = cloud.session(cloud.root()).client("kms")
    for name in template.named("AWS::KMS::Alias"):
        alias = template.properties(name)
        client.create_alias(AliasName=alias["AliasName"], TargetKeyId=alias["TargetKeyId"])


def _put_role_policies(cloud: Cloud, template: Template) -> None:
    for name in template.named("AWS::IAM::Role"):
        role = cloud.directory.principals[template.reference(name, "Arn")]
        for policy in template.properties(name).get("Policies", []):
            role.put(policy["PolicyName"], people.document(policy["PolicyDocument"]))
    for name in template.named("AWS::IAM::ManagedPolicy"):
        given = template.properties(name)
        arn = str(template.reference(name, None))
        cloud.directory.managed[arn] = people.document(given["PolicyDocument"])
        for holder in given.get("Roles", []):
            found = cloud.directory.role(cloud.home, holder)
            if found is None:
                raise KeyError(f"{name} names a role that the template does not have: {holder}")
            found.attach(arn, cloud.directory.managed[arn])


def _create_channels(cloud: Cloud, template: Template) -> None:
    client = cloud.session(cloud.root()).client("sns")
    for name in template.named("AWS::SNS::Topic"):
        client.create_topic(Name=template.reference(name, None).rpartition(":")[2])
    queues = cloud.session(cloud.root()).client("sqs")
    for name in template.named("AWS::SQS::Queue"):
        waits = str(template.properties(name).get("VisibilityTimeout", 30))
        queue = template.reference(name, "QueueName")
        queues.create_queue(QueueName=queue, Attributes={"VisibilityTimeout": waits})


def _create_buckets(cloud: Cloud, template: Template) -> None:
    policies = {
        given["Bucket"]: people.document(given["PolicyDocument"])
        for given in map(template.properties, template.named("AWS::S3::BucketPolicy"))
    }
    for name in template.named("AWS::S3::Bucket"):
        bucket = str(template.reference(name, None))
        default = template.properties(name)["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
        cloud.s3.buckets[bucket] = Bucket(policies.get(bucket), default["Mode"], int(default["Days"]))


def _create_table(cloud: Cloud, template: Template, name: str) -> str:
    given, table = template.properties(name), str(template.reference(name, None))
    wanted = {"AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"}
    parameters = {prop: value for prop, value in given.items() if prop in wanted}
    if stream := given.get("StreamSpecification"):
        parameters["StreamSpecification"] = {"StreamEnabled": True, **stream}
    for index in parameters.get("GlobalSecondaryIndexes", []):
        index.pop("WarmThroughput", None)
    client = cloud.session(cloud.root()).client("dynamodb")
    made = client.create_table(TableName=table, **parameters)["TableDescription"]
    if "LatestStreamArn" in made:
        template.physical[name, "StreamArn"] = made["LatestStreamArn"]
    return table
