"""The documents' pictures are what the template and the table of statuses say."""

import pytest

from tests.infrastructure.pictures import PICTURES
from tests.support.documents import marked


@pytest.mark.parametrize("name", PICTURES)
def test_the_documents_show_the_picture(name: str) -> None:
    """`python -m tests.infrastructure.pictures NAME` prints what stands between the markers."""
    assert marked(name) == "\n".join(("```mermaid", *PICTURES[name](), "```"))
