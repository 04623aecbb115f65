"""What watches a stack from outside its functions: its alarms, as CloudFormation would make and list them."""

from tests.local_aws.cloudformation import Described
from tests.local_stack.deployment import Deployment

_ALARM = "AWS::CloudWatch::Alarm"


def create(deployment: Deployment) -> None:
    """Make the template's alarms, and have CloudFormation list them with the stack's parameters."""
    cloud, template = deployment.cloud, deployment.template
    client = cloud.session(cloud.root()).client("cloudwatch")
    resources = {}
    for name in template.named(_ALARM):
        physical = str(template.reference(name, None))
        client.put_metric_alarm(AlarmName=physical, **template.properties(name))
        resources[name] = (_ALARM, physical)
    given = {name: str(value) for name, value in template.parameters.items()}
    cloud.cloudformation.described[template.stack_id] = Described(parameters=given, resources=resources)
    for name in template.named("AWS::IAM::Role"):
        trust = template.properties(name)["AssumeRolePolicyDocument"]
        cloud.directory.principals[template.reference(name, "Arn")].trust = trust
