"""What the documents point at is there: files, folders, tests, other documents and their sections."""

import re
from pathlib import Path

import click
import pytest

from grant_broker.client.main import root
from tests.infrastructure.stack import template
from tests.local_stack.template import ROOT
from tests.local_stack.triggers import routes
from tests.support.documents import DOCUMENTS, PAGES, README, page, section

# What is in build/ is made by some steps of `.ci/run`, each a part of it.
_TOP = {path.name for path in ROOT.iterdir()} - {"build"}
_TESTS = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))


def _prose(document: Path) -> str:
    return re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def _anchors(document: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", _prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.name))
def test_what_a_document_names_is_there(document: Path) -> None:
    """Paths from the top are files or folders; what is called like a test is one, or a file of tests."""
    names = set(re.findall(r"`([^`\s]+)`", _prose(document)))
    paths = {name for name in names if "/" in name and name.partition("/")[0] in _TOP}
    assert {path for path in paths if not any(ROOT.glob(path.rstrip("/")))} == set()
    functions = {name for name in names if re.fullmatch(r"test_\w+", name)}
    assert {name for name in functions if f"def {name}(" not in _TESTS} == set()
    files = {name for name in names - paths if re.fullmatch(r"(\w+/)*\w+\.py", name)}
    assert {name for name in files if not any(ROOT.rglob(name))} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.name))
def test_every_link_leads_somewhere(document: Path) -> None:
    """A link within the repository leads to a file, and to a section that it has."""
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", _prose(document))
    for path, title in links:
        target = (document.parent / path) if path else document
        assert target.exists(), path
        assert not title or title in _anchors(target), title


def test_the_readme_leads_to_every_page() -> None:
    """A page that nobody is sent to is read by nobody."""
    led = set(re.findall(r"\]\(\.github/docs/([\w-]+)\.md", section(README, "Pages")))
    assert led == {path.stem for path in PAGES.glob("*.md")}


def test_every_feature_names_its_tests() -> None:
    """Each row of what the broker does points at tests that there are, by file and name."""
    rows = re.findall(r"^\| (?!what \||---)(.*) \|$", section(README, "What it does"), re.MULTILINE)
    assert len(rows) >= 20
    for row in rows:
        what, how, shown = row.split(" | ")
        assert what
        assert how
        for name in shown.split(", "):
            path, _, test = name.strip("`").partition("::")
            assert f"\ndef {test}(" in (ROOT / "tests" / path).read_text("utf-8"), name


def test_the_page_lists_every_route() -> None:
    """The API's tables have each method and path of the template, and no other."""
    rows = "\n".join(re.findall(r"^\| .*$", page("api"), re.MULTILINE))
    told = re.findall(r"`([A-Z, ]+) (/[^`?]*)`", rows)
    listed = [(method, _nameless(path)) for methods, path in told for method in methods.split(", ")]
    assert sorted(listed) == sorted((route.method, _nameless(route.path)) for route in routes(template()))


def _nameless(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.name))
def test_every_command_that_is_named_exists(document: Path) -> None:
    """What is written as a command of ours is one, with the subcommands and options that it has."""
    text = document.read_text("utf-8").replace("\\\n", " ")
    spans = re.findall(r"`grant-broker ([^`]+)`|(?:^|[(|] ?)grant-broker ([^|)\n]+)", text, re.MULTILINE)
    for inline, line in spans:
        words = (inline or line).split()
        command: click.Command | None = root
        context = click.Context(root)
        while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
            command = command.get_command(context, words.pop(0))
        assert command is not None, inline or line
        known = {flag for option in command.get_params(context) for flag in option.opts}
        given = {word for word in words if re.fullmatch(r"--[a-z-]+", word)}
        if not isinstance(command, click.Group):
            assert given <= known, inline or line
