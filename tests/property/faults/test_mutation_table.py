"""The table of dangerous changes: each can still be made, and leads to a test that exists."""

from pathlib import Path

import pytest

from tests.simulation.mutations import MUTATIONS, ROOT, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_can_be_made(mutation: Mutation) -> None:
    """The text to replace occurs exactly once in the source, and the test that catches it is there."""
    assert mutation.applied(ROOT)
    path, _, name = mutation.test.partition("::")
    assert f"def {name or 'test_'}" in (ROOT / path).read_text(encoding="utf-8")


def test_what_is_gone_is_refused(tmp_path: Path) -> None:
    """A text that is gone, or occurs twice, is not replaced."""
    changed = Mutation("one", "file.py", "old", "new", "tests")
    path = tmp_path / "layers/grant_broker/grant_broker/file.py"
    path.parent.mkdir(parents=True)
    for text in ("", "old old"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="occurs"):
            changed.applied(tmp_path)
