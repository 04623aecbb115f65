"""The documents: the README and a page for each reader."""

from pathlib import Path

from tests.local_stack.template import ROOT

README, PAGES = ROOT / "README.md", ROOT / ".github" / "docs"
DOCUMENTS = [README, *sorted((ROOT / ".github").rglob("*.md"))]


def page(name: str) -> str:
    """Read one of the pages, by its name without the suffix."""
    return (PAGES / f"{name}.md").read_text("utf-8")


def marked(name: str) -> str:
    """Return the generated part of that name, from the one document that has its markers."""
    begin, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
    [text] = [text for text in map(_read, DOCUMENTS) if begin in text]
    return text.partition(begin)[2].partition(end)[0].strip()


def section(document: Path, title: str) -> str:
    """Return what stands under a heading of the second level, up to the next one."""
    found = f"\n{_read(document)}".partition(f"\n## {title}\n")[2]
    assert found, f"{document.name} has no section {title}"
    return found.partition("\n## ")[0]


def _read(document: Path) -> str:
    return document.read_text("utf-8")
