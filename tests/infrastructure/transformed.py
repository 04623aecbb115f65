"""`template.yaml` as CloudFormation is given it: SAM's resources written out by SAM's own translator.

`python -m tests.infrastructure.transformed` prints it as JSON; with logical ids behind it only these
resources, as a change set of type IMPORT takes them.
"""

import contextlib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from tests.local_stack.deployment import STACK
from tests.local_stack.intrinsics import load
from tests.local_stack.people import HOME
from tests.local_stack.template import ROOT, Template

REGION = "eu-central-1"
_VARIABLE = re.compile(r"\$\{([^}!][^}]*)\}")


@cache
def transformed(**parameters: str) -> dict[str, Any]:
    """The template for these parameters: SAM writes their values into some places of the API."""
    # As `sam deploy` sends it: without anchors, and with the code where it was uploaded to.
    template = deepcopy(load(ROOT / "template.yaml"))
    template = json.loads(json.dumps(template))
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for name in ("CodeUri", "ContentUri"):
            if name in properties:
                properties[name] = "s3://bucket/key"
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    # The translator writes to standard error what it has to say of itself.
    with contextlib.redirect_stdout(sys.stderr):
        made: dict[str, Any] = translator.translate(template, dict(parameters), passthrough_metadata=True)
    return made


@dataclass(frozen=True)
class Plan:
    """What CloudFormation makes of the template, and what must stand before what.

    Resources whose condition does not hold are none.
    """

    template: Template

    @classmethod
    def of(cls, **parameters: str) -> "Plan":
        """The plan for these parameters, the others having their defaults."""
        made = transformed(**parameters)
        plain = Template.read({}, account=HOME, region=REGION, stack=STACK)
        return cls(Template(made, plain.parameters | parameters, HOME, REGION, STACK))

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Logical id to resource."""
        return {
            name: resource
            for name, resource in self.template.document["Resources"].items()
            if "Condition" not in resource or self.template.resolve.holds(resource["Condition"])
        }

    @cached_property
    def needs(self) -> Mapping[str, frozenset[str]]:
        """Of each resource those that must stand before it. KeyError where one of them is not made."""
        return {name: frozenset(self._needs(name)) for name in self.resources}

    def _needs(self, name: str) -> Iterator[str]:
        resource = self.resources[name]
        explicit = resource.get("DependsOn", [])
        yield from [explicit] if isinstance(explicit, str) else explicit
        for other in self._named(resource.get("Properties", {})):
            if other not in self.template.document["Resources"]:
                continue
            if other not in self.resources:
                raise KeyError(f"{name} refers to {other}, which is not made")
            yield other

    def _named(self, value: Any) -> Iterator[str]:
        """Every logical id or parameter that a value refers to, in the branches whose condition holds."""
        if isinstance(value, list):
            for item in value:
                yield from self._named(item)
        elif isinstance(value, dict):
            match list(value.items()):
                case [("Fn::If", [condition, true, false])]:
                    yield from self._named(true if self.template.resolve.holds(condition) else false)
                case [("Ref", str(name))]:
                    yield name
                case [("Fn::GetAtt", [name, *_])]:
                    yield name
                case [("Fn::Sub", str(text))]:
                    yield from self._of_text(text)
                case [("Fn::Sub", [str(text), local])]:
                    yield from (name for name in self._of_text(text) if name not in local)
                    yield from self._named(local)
                case items:
                    for _, item in items:
                        yield from self._named(item)

    def _of_text(self, text: str) -> Iterator[str]:
        for name in _VARIABLE.findall(text):
            yield name.partition(".")[0]

    def before(self, name: str) -> frozenset[str]:
        """All that stands when a resource is made."""
        found: set[str] = set()
        left = list(self.needs[name])
        while left:
            if (other := left.pop()) not in found:
                found.add(other)
                left += self.needs[other]
        return frozenset(found)

    def waves(self) -> list[list[str]]:
        """The order of creation: each wave needs the ones before it alone. ValueError for a circle."""
        made: set[str] = set()
        found: list[list[str]] = []
        while len(made) < len(self.resources):
            wave = sorted(name for name in self.resources if name not in made and self.needs[name] <= made)
            if not wave:
                raise ValueError(f"a circle among {', '.join(sorted(set(self.resources) - made))}")
            found.append(wave)
            made.update(wave)
        return found

    def named(self, *kinds: str) -> list[str]:
        """The logical ids of resources of these types."""
        return [name for name, resource in self.resources.items() if resource["Type"] in kinds]


def part(names: Sequence[str]) -> dict[str, Any]:
    """The template with these resources alone. ValueError where they live by others, or are none."""
    plan = Plan.of()
    for name in names:
        if left := sorted(plan.needs.get(name, {"there is no such resource"}) - set(names)):
            raise ValueError(f"{name} cannot stand alone: {', '.join(left)}")
    whole = plan.template.document
    kept = {key: whole[key] for key in ("AWSTemplateFormatVersion", "Parameters", "Conditions")}
    return {**kept, "Resources": {name: whole["Resources"][name] for name in names}}


if __name__ == "__main__":
    json.dump(part(sys.argv[1:]) if sys.argv[1:] else transformed(), sys.stdout, indent=1)
