"""What of the package a function can import: the layer holds this, and no more."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.local_stack.template import ROOT

LAYER = ROOT / "layers" / "grant_broker"
PACKAGE = LAYER / "grant_broker"


def reachable() -> set[Path]:
    """The package's modules that a function imports, or may import while it runs."""
    left = list(ROOT.glob("functions/*/handler.py"))
    found: set[Path] = set()
    while left:
        for name in _imports(ast.parse(left.pop().read_text("utf-8"))):
            parts = name.split(".")
            for path in (LAYER.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)):
                modules = {path.with_suffix(".py"), path / "__init__.py"} - found
                left += [module for module in modules if module.exists()]
                found |= {module for module in modules if module.exists()}
    return found


def _imports(tree: ast.AST) -> Iterator[str]:
    """The names that a module imports, at its top or inside a function, but for what types alone need."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.Import(names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (f"{module}.{name.name}" for name in names)
            case _:
                yield from _imports(node)
