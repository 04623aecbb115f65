"""The operator's runbooks are what the alarms say."""

from tests.infrastructure.runbooks import markdown
from tests.support.documents import marked


def test_the_documents_show_the_runbooks() -> None:
    """`python -m tests.infrastructure.runbooks` prints what stands between the markers."""
    assert marked("runbooks") == "\n".join(markdown())
