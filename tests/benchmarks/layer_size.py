"""How large the layer is, zipped as Lambda takes it."""

import io
import os
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from tests.benchmarks.cold_start import Options
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.layer import SOURCE, layer_for


def layer_size(options: Options) -> list[Figure]:
    """The layer as its Makefile builds it, against its libraries and boto3 whole, without bytecode."""
    layer = layer_for(options.python)
    with tempfile.TemporaryDirectory() as built:
        # With bytecode where this is Lambda's Python.
        told = {**os.environ, "PATH": f"{Path(options.python).parent}{os.pathsep}{os.environ['PATH']}"}
        command = ["make", "-s", "build-Layer", f"ARTIFACTS_DIR={built}"]
        subprocess.run(command, cwd=SOURCE, env=told, check=True, capture_output=True)  # noqa: S603
        ours = _zipped(Path(built).rglob("*"))
    whole = [*layer.libraries.rglob("*")]
    whole += [path for name in ("boto3", "s3transfer") for path in (layer.references / name).rglob("*")]
    reference = _zipped(path for path in whole if path.suffix != ".pyc")
    return [
        Figure.of_pairs("layer: zip, against its libraries whole", [ours], [reference], Target(0.40), "MB")
    ]


def _zipped(paths: Iterable[Path]) -> float:
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for path in paths:
            if path.is_file():
                archive.write(path)
    return len(packed.getvalue()) / 1e6
