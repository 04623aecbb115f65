"""What a call waits for that comes first: the function's load, and what it does once."""

from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.layer import Layer, layer_for
from tests.benchmarks.processes import Child, in_turn
from tests.benchmarks.stage import Stage, stage_for


@dataclass(frozen=True)
class Options:
    """How to measure: by which interpreter, so many rounds."""

    python: str
    rounds: int


def requests(options: Options) -> list[Figure]:
    """`requests` up to the answer of its first covered submission, against two other builds."""
    layer = layer_for(options.python)
    stage = stage_for(authorities_of(layer))
    builds = [
        child_of(layer, stage, "requests", first=True),
        _reference(layer, stage, "bare_boto3"),
        _reference(layer, stage, "naive"),
    ]
    ours, bare, naive = in_turn(builds, options.rounds)
    whole = [each["first"] for each in ours]
    first = [each["first"] - each["init"] for each in ours]
    return [
        Figure.of_pairs(
            "requests: init and first request, against bare boto3", whole,
            [each["first"] for each in bare], Target(1.30),
        ),
        Figure.of_pairs(
            "requests: init and first request, against a naive build", whole,
            [each["first"] for each in naive], Target(0.57),
        ),
        Figure.of_pairs("requests: share left to the first request", first, whole, Target(0.10)),
    ]  # fmt: skip


def expiry(options: Options) -> list[Figure]:
    """`expiry`, loaded, against botocore alone with the models of what it calls."""
    layer = layer_for(options.python)
    stage = stage_for(authorities_of(layer))
    reference = _reference(layer, stage, "bare_botocore", libraries=layer.trimmed)
    ours, bare = in_turn([child_of(layer, stage, "expiry"), reference], options.rounds)
    return [
        Figure.of_pairs(
            "expiry: init, against bare botocore with trimmed models",
            [each["init"] for each in ours], [each["init"] for each in bare], Target(1.25),
        )
    ]  # fmt: skip


def authorities_of(layer: Layer) -> Path:
    """The certificate authorities that botocore trusts."""
    return layer.libraries / "botocore" / "cacert.pem"


def child_of(layer: Layer, stage: Stage, name: str, *, first: bool = False) -> Child:
    """A function's process, with a first event where one is wanted."""
    told = stage.environment(name) | {"BENCHMARK_FUNCTION": str(layer.functions / name)}
    if first:
        told["BENCHMARK_EVENT"] = str(stage.event)
    return Child("ours", layer.python, layer.path, told)


def _reference(layer: Layer, stage: Stage, script: str, *, libraries: Path | None = None) -> Child:
    told = stage.environment("requests") | {"BENCHMARK_EVENT": str(stage.event)}
    return Child(script, layer.python, [libraries or layer.libraries, layer.references], told)
