"""The README's pictures are what the template and the table of statuses say."""

import pytest

from tests.infrastructure.pictures import PICTURES
from tests.local_stack.template import ROOT


@pytest.mark.parametrize("name", PICTURES)
def test_the_readme_shows_the_picture(name: str) -> None:
    """`python -m tests.infrastructure.pictures NAME` prints what stands between the markers."""
    text = (ROOT / "README.md").read_text("utf-8")
    shown = text.partition(f"<!-- {name} -->\n")[2].partition(f"\n<!-- /{name} -->")[0]
    assert shown.strip() == "\n".join(("```mermaid", *PICTURES[name](), "```"))
