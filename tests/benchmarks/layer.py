"""The layer as a function finds it on Lambda, for this machine's platform: pinned libraries, all bytecode.

Made once for each interpreter and each set of pins, in the folder for temporary files; the package itself is
copied anew each time.
"""

import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.local_stack.template import ROOT

SOURCE = ROOT / "layers" / "grant_broker"
TRIM = SOURCE / "trim.py"
# What references need more: boto3; the X-Ray SDK for the tracer, and what `validate` compiles schemas with.
_OF_REFERENCES = (
    "boto3==1.44.8",
    "s3transfer==0.19.3",
    "aws-xray-sdk==2.15.0",
    "wrapt==1.17.3",
    "fastjsonschema==2.21.2",
)
_PIP = ("-m", "pip", "install", "-qq", "--no-deps", "--only-binary=:all:", "--no-compile")


@dataclass(frozen=True)
class Layer:
    """Folders for a process's path.

    `libraries` are those that are pinned, whole; `trimmed` are the same as the layer holds them.
    """

    python: str
    libraries: Path
    trimmed: Path
    package: Path
    functions: Path

    @property
    def path(self) -> tuple[Path, ...]:
        """What a function has on its path."""
        return self.package, self.trimmed

    @property
    def references(self) -> Path:
        """What references need beside the pinned libraries."""
        folder = self.libraries.parent / "references"
        if not folder.exists():
            self.install(folder, *_OF_REFERENCES)
        return folder

    def install(self, folder: Path, *what: str) -> None:
        """Have pip install something into a new folder, and compile it."""
        building = Path(tempfile.mkdtemp(dir=self.libraries.parent))
        _run(self.python, *_PIP, "--target", str(building), *what)
        self.compile(building)
        building.rename(folder)

    def compile(self, folder: Path) -> None:
        """Compile all that is in a folder, as the Makefile does."""
        _run(self.python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder))


@cache
def layer_for(python: str) -> Layer:
    """Build the layer for an interpreter."""
    pins = SOURCE / "requirements.txt"
    version = subprocess.run([python, "-VV"], check=True, capture_output=True).stdout  # noqa: S603
    digest = hashlib.sha256(version + pins.read_bytes()).hexdigest()[:16]
    home = Path(tempfile.gettempdir()) / f"grant-broker-benchmarks-{digest}"
    home.mkdir(exist_ok=True)
    package = Path(tempfile.mkdtemp(dir=home))
    data = f"trimmed-{hashlib.sha256(TRIM.read_bytes()).hexdigest()[:16]}"
    layer = Layer(python, home / "libraries", home / data, package, package / "functions")
    if not layer.libraries.exists():
        layer.install(layer.libraries, "--require-hashes", "--requirement", str(pins))
    if not layer.trimmed.exists():
        building = Path(tempfile.mkdtemp(dir=home)) / "libraries"
        shutil.copytree(layer.libraries, building)
        _run(python, str(TRIM), str(building / "botocore" / "data"))
        building.rename(layer.trimmed)
    ours = shutil.ignore_patterns("__pycache__", "client")
    shutil.copytree(SOURCE / "grant_broker", package / "grant_broker", ignore=ours)
    shutil.copytree(ROOT / "functions", layer.functions, ignore=ours)
    layer.compile(package)
    return layer


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603
