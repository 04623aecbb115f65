"""Ways in beside SAM: what the operator's page says of them, held to the template."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infrastructure.transformed import Plan
from tests.local_stack.intrinsics import load
from tests.local_stack.template import ROOT
from tests.support.documents import page

PAGE = page("operator")
TEMPLATE = load(ROOT / "template.yaml")
# Of templates that are given by their address, and of those in the call itself; bytes.
_LARGEST, _LARGEST_IN_A_CALL = 1_000_000, 51_200


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_page_names_every_service_that_a_deployment_touches() -> None:
    """Whoever deploys is told what they must be allowed to do."""
    plan = Plan.of(FoundingScenario="yes", ApiAccessLogs="yes", SecurityMail="team@example.com")
    services = {resource["Type"].split("::")[1].lower() for resource in plan.resources.values()}
    said = PAGE.partition("Whoever deploys must be allowed")[2].partition("\n\n")[0]
    assert services == set(re.findall(r"`([a-z0-9]+)`", said)) - {"cloudformation", "s3"}


def test_the_template_goes_through_s3() -> None:
    """Without its anchors it is longer than a call may be, and short enough for CloudFormation."""
    assert _LARGEST_IN_A_CALL < len(json.dumps(TEMPLATE)) < _LARGEST
    assert "template_url" in _block("hcl")


def test_every_parameter_is_a_text_or_a_number() -> None:
    """Terraform's map of parameters holds nothing else."""
    assert {parameter["Type"] for parameter in TEMPLATE["Parameters"].values()} == {"String", "Number"}


def test_the_capabilities_are_those_that_the_template_needs() -> None:
    """IAM for roles and policies that CloudFormation names, AUTO_EXPAND for SAM's transform."""
    plan = Plan.of(FoundingScenario="yes")
    iam = [resource for resource in plan.resources.values() if resource["Type"].startswith("AWS::IAM::")]
    assert iam
    named = {name for resource in iam for name in resource["Properties"] if name.endswith("Name")}
    # One that CloudFormation did not make up would need CAPABILITY_NAMED_IAM.
    assert named == set()
    assert "Transform" in TEMPLATE
    told = re.search(r"capabilities = (\[.*\])", _block("hcl"))
    assert told is not None
    assert json.loads(told[1]) == ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


def test_parameters_that_are_given_exist() -> None:
    """In both ways."""
    given = set(re.findall(r"^    ([A-Z]\w+) += ", _block("hcl"), re.MULTILINE))
    given |= set(re.findall(r"parameters: { (\w+):", _block("js")))
    assert given == {"TrustedAccounts", "ApproverRoleIds"}
    assert given <= set(TEMPLATE["Parameters"])


def test_cdk_passes_through_what_refers_to_what_sam_makes() -> None:
    """CfnInclude knows no resource that SAM makes; of what it passes through it drops the condition."""
    known = {*TEMPLATE["Resources"], *TEMPLATE["Parameters"]}
    strangers = {name for name, resource in TEMPLATE["Resources"].items() if not _named(resource) <= known}
    passed = re.search(r"dehydratedResources: \[(.*)\]", _block("js"))
    assert passed is not None
    assert sorted(strangers) == [name.strip(" '") for name in passed[1].split(",")]
    conditions = {name: TEMPLATE["Resources"][name].get("Condition") for name in strangers}
    given = dict(re.findall(r"getResource\('(\w+)'\)\.addOverride\('Condition', '(\w+)'\)", _block("js")))
    assert given == {name: condition for name, condition in conditions.items() if condition}


def _named(resource: dict[str, object]) -> set[str]:
    """Logical ids and parameters that a resource refers to, but for texts of Fn::Sub."""
    text = json.dumps(resource)
    depends = resource.get("DependsOn", [])
    explicit = {depends} if isinstance(depends, str) else set(depends) if isinstance(depends, list) else set()
    refs = {name for name in re.findall(r'{"Ref": "([^"]+)"}', text) if not name.startswith("AWS::")}
    return explicit | refs | set(re.findall(r'{"Fn::GetAtt": \["([^"]+)"', text))


@pytest.mark.skipif(not shutil.which("terraform"), reason="NOT SHOWN: terraform is not here")
def test_terraform_reads_the_lines(tmp_path: Path) -> None:
    """They are well formed, as Terraform itself writes them."""
    (tmp_path / "main.tf").write_text(_block("hcl"))
    terraform = str(shutil.which("terraform"))
    command = [terraform, "fmt", "-check", "-diff", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - Terraform
    assert done.returncode == 0, done.stdout + done.stderr
