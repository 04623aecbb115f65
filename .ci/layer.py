#!/usr/bin/env python3
"""Check what `sam build` made: layer.py BUILD [PYTHON_OF_LAMBDA].

- Every file of the layer is byte for byte one of a wheel whose hash is pinned, or one of the package;
  botocore's data is what layers/grant_broker/trim.py makes of the wheel's.
- What is compiled is for arm64.
- The package is there as far as a function can reach it, and no further: no commands, no generator.
- Each function loads from the layer alone, and each pinned library is imported by one, or needed by what is.
- It fits Lambda's limit. With PYTHON_OF_LAMBDA, which must then have compiled it, all of it is bytecode.
"""

import _imp
import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "layers" / "grant_broker"
sys.path[:0] = [str(ROOT), str(SOURCE)]

from tests.infrastructure.reachable import PACKAGE, reachable  # noqa: E402
from tests.infrastructure.stack import deployed  # noqa: E402
from trim import trim  # noqa: E402

Files = dict[str, bytes]  # by path below the layer's folder

LIMIT = 250_000_000  # bytes: layers and function, unpacked
FOR_LAMBDA = ["--platform", "manylinux2014_aarch64", "--implementation", "cp", "--python-version", "3.13"]
# What the layer may lack of a wheel: nothing that runs.
MAY_LACK = re.compile(
    r".*\.pyi|[^/]+\.dist-info/RECORD|[^/]+\.data/scripts/.*"
    r"|annotated_types/test_cases\.py|aws_lambda_powertools/event_handler/openapi/swagger_ui/.*\.min\.(js|css)"
)
# Read when the first window of a standing approval is judged, by importlib.resources.
READ_LATER = {"tzdata"}
BOTOCORE_DATA = "botocore/data/"
AARCH64 = 183  # e_machine in an ELF header
MAGIC = 3571  # of Python 3.13's bytecode
UNCHECKED_HASH = 0b01  # flags of a .pyc that is loaded without a look at its source
# Load a handler as Lambda does, with the given folders on the path alone, and print what that imported.
LOAD = """
import importlib.util, sys
handler, *sys.path[:0] = sys.argv[1:]
spec = importlib.util.spec_from_file_location("handler", handler)
spec.loader.exec_module(importlib.util.module_from_spec(spec))
print(*{name.partition(".")[0] for name in sys.modules})
"""


def output(*command: str, environment: dict[str, str] | None = None) -> str:
    """Run a command and get what it printed; CalledProcessError if it fails."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603
    return done.stdout.strip()


def pip(command: str, *arguments: str) -> None:
    """Run pip so that it takes nothing but wheels whose hashes are pinned."""
    pinned = ["--require-hashes", "--no-deps", "--only-binary=:all:"]
    output(sys.executable, "-m", "pip", command, "--quiet", *pinned, *arguments)


def normalised(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned_wheels(folder: Path) -> dict[str, Files]:
    """Every pinned wheel for Lambda's platform, by its distribution's name."""
    pip("download", *FOR_LAMBDA, "--dest", str(folder), "--requirement", str(SOURCE / "requirements.txt"))
    found = {}
    for path in folder.glob("*.whl"):
        with ZipFile(path) as wheel:
            files = {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")}
        found[normalised(path.name.partition("-")[0])] = files
    return found


def package() -> Files:
    """What the layer must hold of the package: what a function can reach, and data beside it."""
    commands = PACKAGE / "client"
    files = {path for path in (PACKAGE).rglob("*") if path.is_file()}
    data = {path for path in files if path.suffix not in (".py", ".pyc") and commands not in path.parents}
    return {str(path.relative_to(SOURCE)): path.read_bytes() for path in reachable() | data}


def trim_data(wheel: Files, scratch: Path) -> Files:
    """botocore's wheel with its data trimmed."""
    data = {name: content for name, content in wheel.items() if name.startswith(BOTOCORE_DATA)}
    for name, content in data.items():
        path = scratch / "wheel" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    folder = scratch / "wheel" / BOTOCORE_DATA
    trim(folder)
    left = {
        BOTOCORE_DATA + str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()
    }
    code = {name: content for name, content in wheel.items() if name not in data}
    return code | {name: path.read_bytes() for name, path in left.items()}


def file_faults(held: Files, wanted: Files) -> Iterator[str]:
    """What is strange, altered, missing, or compiled for another processor."""
    for name, content in held.items():
        if name not in wanted:
            yield f"it holds {name}: no pinned wheel has it, or no function can reach it"
        elif content != wanted[name]:
            yield f"{name} differs from the pinned wheel, or from the package"
        elif content[:4] == b"\x7fELF" and int.from_bytes(content[18:20], "little") != AARCH64:
            yield f"{name} is not compiled for arm64"
    yield from (f"it lacks {name}" for name in wanted.keys() - held.keys() if not MAY_LACK.fullmatch(name))


def bytecode_faults(held: Files, bytecode: Files) -> Iterator[str]:
    """Modules without bytecode that Lambda's Python takes as it is, made from just this source."""
    for name in (name for name in held if name.endswith(".py")):
        folder, slash, module = name.rpartition("/")
        code = bytecode.get(f"{folder}{slash}__pycache__/{module[:-3]}.cpython-313.pyc", bytes(16))
        key, flags = int.from_bytes(code[:4], "little"), int.from_bytes(code[4:8], "little")
        if (key & 0xFFFF, flags, code[8:16]) != (MAGIC, UNCHECKED_HASH, _imp.source_hash(key, held[name])):
            yield f"{name} has no bytecode, or not its own"


def natively_compiled(wheels: dict[str, Files], python: str, scratch: Path) -> Path:
    """A folder with this machine's builds of the compiled wheels, by the same pins."""
    blocks = re.split(r"\n(?=\S)", (SOURCE / "requirements.txt").read_text("utf-8"))
    compiled = {name for name, files in wheels.items() if any(file.endswith(".so") for file in files)}
    chosen = [block for block in blocks if normalised(block.partition("==")[0]) in compiled]
    (scratch / "compiled.txt").write_text("\n".join(chosen), "utf-8")
    version = output(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    folder = str(scratch / "native")
    pip(
        "install",
        "--python-version",
        version,
        "--target",
        folder,
        "--requirement",
        str(scratch / "compiled.txt"),
    )
    return scratch / "native"


def load_functions(build: Path, python: str, *folders: Path) -> set[str]:
    """Load every function with these folders alone, and get the top-level modules that they imported."""
    stack, modules = deployed(), ""
    for name, function in stack.functions.items():
        handler = build / function.logical_id / "handler.py"
        command = [python, "-I", "-S", "-B", "-c", LOAD, str(handler), *map(str, folders)]
        modules += output(*command, environment=stack.environment(name)) + " "
    return set(modules.split())


def needed(layer: Path, wheels: dict[str, Files], modules: set[str]) -> set[str]:
    """The distributions that these modules come from, and those that they require."""
    requires = {normalised(found.name): found.requires or [] for found in distributions(path=[str(layer)])}
    tops = {
        name: {file.partition("/")[0].removesuffix(".py") for file in files} for name, files in wheels.items()
    }
    left = [name for name, own in tops.items() if own & modules]
    found: set[str] = set()
    while left:
        if (name := left.pop()) not in found:
            found.add(name)
            lines = [line for line in requires[name] if "extra ==" not in line]
            left += {normalised(re.split(r"[\s;<>=!~\[(]", line)[0]) for line in lines} & wheels.keys()
    return found


def main(build: Path, python: str | None, scratch: Path) -> None:
    """Say what the layer holds, or exit with everything that is wrong with it."""
    layer = build / "Layer" / "python"
    whole = {str(path.relative_to(layer)): path.read_bytes() for path in layer.rglob("*") if path.is_file()}
    held = {name: content for name, content in whole.items() if not name.endswith(".pyc")}
    wheels = pinned_wheels(scratch / "wheels")
    wheels["botocore"] = trim_data(wheels["botocore"], scratch)
    wanted = package() | {name: content for files in wheels.values() for name, content in files.items()}
    faults = list(file_faults(held, wanted))
    if python:
        faults += bytecode_faults(held, {name: whole[name] for name in whole.keys() - held.keys()})
    if (size := sum(map(len, whole.values()))) > LIMIT:
        faults.append(f"it holds {size} bytes")
    if faults:
        sys.exit("the layer: " + "; ".join(sorted(faults)))
    interpreter = python or sys.executable
    modules = load_functions(build, interpreter, natively_compiled(wheels, interpreter, scratch), layer)
    if idle := wheels.keys() - needed(layer, wheels, modules | READ_LATER):
        sys.exit(f"the layer: nothing imports {', '.join(sorted(idle))}")
    each = (hashlib.sha256(name.encode() + held[name]).digest() for name in sorted(held))
    print(
        f"{len(wheels)} wheels by pinned hash, each imported; {size // 1_000_000} MB of {LIMIT // 1_000_000};"
    )
    print(f"bytecode of {len(whole) - len(held)} modules beside {len(held)} files, which are the same")
    print(f"wherever it is built: sha256 {hashlib.sha256(b''.join(each)).hexdigest()}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(sys.argv[1]), sys.argv[2] if sys.argv[2:] else None, Path(folder))
