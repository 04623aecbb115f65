"""Names are CloudFormation's to make, so that no stack is in another one's way, or in its own."""

from tests.infrastructure.stack import template

# Properties by which a resource is named for good: a second stack, or a second try, collides with it.
_NAMING = {
    "AWS::IAM::Role": {"RoleName"},
    "AWS::IAM::ManagedPolicy": {"ManagedPolicyName"},
    "AWS::IAM::InstanceProfile": {"InstanceProfileName"},
    "AWS::DynamoDB::Table": {"TableName"},
    "AWS::Logs::LogGroup": {"LogGroupName"},
    "AWS::SQS::Queue": {"QueueName"},
    "AWS::SNS::Topic": {"TopicName"},
    "AWS::Events::Rule": {"Name"},
    "AWS::Events::ApiDestination": {"Name"},
    "AWS::Events::Connection": {"Name"},
    "AWS::Lambda::EventSourceMapping": set(),
    "AWS::CloudWatch::Alarm": {"AlarmName"},
    "AWS::CloudWatch::Dashboard": {"DashboardName"},
    "AWS::Serverless::Function": {"FunctionName"},
    "AWS::ApiGateway::BasePathMapping": set(),
    "AWS::KMS::Key": set(),
    "AWS::S3::Bucket": {"BucketName"},
    "AWS::S3::BucketPolicy": set(),
    "AWS::SQS::QueuePolicy": set(),
    "AWS::SNS::TopicPolicy": set(),
    "AWS::SNS::Subscription": set(),
}
# Named all the same; template.yaml says why beside each.
_NAMED = {
    "Api": ("Name", "grant-broker"),
    "Layer": ("LayerName", "grant-broker"),
    "ApiDomain": ("DomainName", "grants.example.com"),
    "PartnerDataAlias": ("AliasName", "alias/grant-broker/partner-data"),
}


def test_nothing_is_named_that_cloudformation_can_name() -> None:
    """What has a name after all has one that holds the stack's."""
    resources = template().document["Resources"]
    assert {name for name in resources if resources[name]["Type"] not in _NAMING} == set(_NAMED)
    for name, resource in resources.items():
        given = resource.get("Properties", {})
        assert set(given).isdisjoint(_NAMING.get(resource["Type"], set())), name
    for name, (naming, value) in _NAMED.items():
        assert template(DomainName="grants.example.com").properties(name)[naming] == value


def test_commands_find_in_the_outputs_what_they_ask_for() -> None:
    """Every output that a command reads is there, and says what its option would."""
    outputs, stack = template().outputs(), template()
    for name in ("Requests", "Approvals", "Expiry", "Reconcile", "Events"):
        assert outputs[f"{name}RoleArn"] == stack.reference(f"{name}Role", "Arn")
    for name in ("Request", "Approval"):
        assert outputs[f"{name}TableName"] == stack.reference(f"{name}Table", None)
    assert outputs["GrantableOperations"] == stack.parameters["GrantableOperations"]
    assert outputs["ApiUrl"].endswith("/live")
    assert {"AlarmTopicArn", "MailTopicArn", "EventBusArn"} <= set(outputs)
