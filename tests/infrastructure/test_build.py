"""What `sam build` is told: the Makefile makes the whole layer, for the platform the template runs on."""

import re

from tests.infrastructure.reachable import LAYER, PACKAGE, reachable
from tests.infrastructure.stack import ROLES
from tests.local_stack.intrinsics import load
from tests.local_stack.template import ROOT

MAKEFILE = (LAYER / "Makefile").read_text("utf-8")
TEMPLATE = load(ROOT / "template.yaml")


def test_the_makefile_builds_the_layer_and_every_function() -> None:
    """Built by SAM itself, a function would need the runtime's own Python and would come without bytecode."""
    metadata = {
        name: resource.get("Metadata", {})
        for name, resource in TEMPLATE["Resources"].items()
        if resource["Type"] in ("AWS::Serverless::Function", "AWS::Serverless::LayerVersion")
    }
    assert len(metadata) == len(ROLES) + 1
    assert {given.get("BuildMethod") for given in metadata.values()} == {"makefile"}
    layer = metadata.pop("Layer")
    assert layer["BuildArchitecture"] == "arm64"
    assert {given["ContextPath"] for given in metadata.values()} == {"layers/grant_broker"}
    assert all(name.endswith("Function") for name in metadata)


def test_the_makefile_takes_wheels_for_the_runtime_of_the_template_and_only_by_pinned_hash() -> None:
    """A wheel for another Python or processor, or one whose hash nobody pinned, never gets into the layer."""
    globals_ = TEMPLATE["Globals"]["Function"]
    runtime = re.search(r"^RUNTIME := (.*)$", MAKEFILE, re.MULTILINE)
    assert runtime is not None
    assert globals_["Runtime"] == f"python{runtime[1]}"
    assert globals_["Architectures"] == ["arm64"]
    assert "PLATFORM := manylinux2014_aarch64" in MAKEFILE
    for option in ("--require-hashes", "--only-binary=:all:", "--platform $(PLATFORM)"):
        assert option in MAKEFILE


def test_the_layer_leaves_out_what_no_function_can_reach_and_nothing_else() -> None:
    """Commands need their modules on people's machines only; whatever a handler imports must be there."""
    listed = re.search(r"^LEFT_OUT := (.*?[^\\])$", MAKEFILE, re.MULTILINE | re.DOTALL)
    assert listed is not None
    patterns = [pattern for pattern in listed[1].split() if pattern.startswith("grant_broker")]
    named = [path for pattern in patterns for path in LAYER.glob(pattern)]
    left_out = {found for path in named for found in (path, *path.rglob("*.py")) if found.is_file()}
    modules = set(PACKAGE.rglob("*.py"))
    assert {str(path.relative_to(LAYER)) for path in modules - reachable()} == {
        str(path.relative_to(LAYER)) for path in left_out
    }
    # Read, not imported.
    assert PACKAGE / "api" / "openapi" / "openapi.json" not in named
