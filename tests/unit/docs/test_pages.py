"""The documentation keeps its word: links lead somewhere, names exist, what is not built is named."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tradewind import sdk, standard
from tradewind.wire.states import CauseOfDeath

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _shown(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _anchors(page: Path) -> set[str]:
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text)}


@pytest.mark.parametrize("page", PAGES, ids=_shown)
def test_links_lead_to_a_file_and_a_heading(page: Path):
    wrong = []
    for target in _LINK.findall(_FENCED.sub("", page.read_text(encoding="utf-8"))):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        if not found.exists() or (anchor and anchor not in _anchors(found)):
            wrong.append(target)
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=_shown)
def test_python_in_the_pages_can_be_read(page: Path):
    for language, code in _FENCED.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            ast.parse(code)


def test_the_reference_of_names_has_each_of_them():
    page = (ROOT / "docs/reference/sdk.md").read_text(encoding="utf-8")
    missing = [name for name in [*sdk.__all__, *standard.__all__] if f"`{name}`" not in page]
    assert missing == []


def test_the_names_that_are_not_built_are_listed_or_their_topic_is():
    page = (ROOT / "docs/reference/sdk.md").read_text(encoding="utf-8")
    for topic, names in sdk._NOT_YET.items():
        assert topic in page or all(f"`{name}`" in page for name in names.split()), topic


def test_each_cause_of_death_is_explained():
    page = (ROOT / "docs/howto/read-logs-and-find-why.md").read_text(encoding="utf-8")
    assert [cause for cause in CauseOfDeath if f"| `{cause}` |" not in page] == []


def test_every_page_of_docs_is_in_the_index():
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    decisions = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    for page in ROOT.glob("docs/**/*.md"):
        place = page.relative_to(ROOT / "docs")
        if place.name == "README.md":
            continue
        if place.parts[0] == "decisions":
            assert f"({place.name})" in decisions
        else:
            assert f"({place})" in index or f"({place.parent}/)" in index, place
