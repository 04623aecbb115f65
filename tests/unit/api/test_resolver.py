"""Parts of a package without the rest of it."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grant_broker.api.resolver import load_parts


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package of two modules, `light` and `heavy`, that loads both."""
    name = "package_of_parts"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text(f"from {name}.light import A\nfrom {name}.heavy import B\n", "utf-8")
    (folder / "light.py").write_text("A = 1\n_HIDDEN = 1\n", "utf-8")
    (folder / "heavy.py").write_text("B = 2\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    for loaded in [each for each in sys.modules if each.partition(".")[0] == name]:
        del sys.modules[loaded]


def test_only_the_parts_are_loaded(package: str) -> None:
    """What a part defines is the package's too; the rest is not there."""
    load_parts(package, ("light",))
    assert sys.modules[package].A == 1
    assert f"{package}.heavy" not in sys.modules


def test_the_rest_comes_when_it_is_asked_for(package: str) -> None:
    """Whoever asks the package for more finds it whole, and what it never had is missing as ever."""
    load_parts(package, ("light",))
    loaded = importlib.import_module(package)
    assert loaded.B == 2
    with pytest.raises(AttributeError):
        _ = loaded.C


def test_a_loaded_package_stays(package: str) -> None:
    """A package that somebody has loaded is left alone."""
    whole = importlib.import_module(package)
    load_parts(package, ("light",))
    assert sys.modules[package] is whole
    assert f"{package}.heavy" in sys.modules


def test_no_such_package() -> None:
    """A package that does not exist is said to be missing."""
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        load_parts("no_such_package", ())
