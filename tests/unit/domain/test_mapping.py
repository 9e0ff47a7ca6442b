"""Sizes of expansions."""

from __future__ import annotations

import pytest

from tradewind.domain.mapping import NotExpandable, expansion_size, first_empty, sources_of
from tradewind.wire.document import Concatenated, FromTask, LengthSource, Literal, Mapping, Zipped

LENGTHS = {"a": 2, "b": 5, "none": 0}


def length_of(source: FromTask) -> int:
    if source.task_id not in LENGTHS:
        raise NotExpandable(f"'{source.task_id}' left nothing")
    return LENGTHS[source.task_id]


@pytest.mark.parametrize(
    ("sources", "size"),
    [
        ((Literal(3),), 3),
        ((Literal(3), FromTask("a")), 6),
        ((Literal(0), FromTask("a")), 0),
        ((Zipped((FromTask("a"), FromTask("b"))),), 2),
        ((Zipped((FromTask("a"), FromTask("b")), fill=True),), 5),
        ((Concatenated((FromTask("a"), Zipped((Literal(4), FromTask("b"))))),), 6),
        ((), 1),
    ],
)
def test_size(sources: tuple[LengthSource, ...], size: int) -> None:
    assert expansion_size(Mapping(tuple((f"x{i}", source) for i, source in enumerate(sources))), length_of) == size


def test_sources_are_found_at_any_depth() -> None:
    mapping = Mapping((("x", Zipped((Concatenated((FromTask("a"), Literal(1))), FromTask("b")))), ("y", FromTask("a"))))
    assert [source.task_id for source in sources_of(mapping)] == ["a", "b", "a"]


def test_a_source_without_length_is_named() -> None:
    with pytest.raises(NotExpandable, match="'gone'"):
        expansion_size(Mapping((("x", FromTask("gone")),)), length_of)


def test_the_empty_argument_is_named() -> None:
    assert first_empty(Mapping((("x", FromTask("a")), ("y", FromTask("none")))), length_of) == "argument 'y' of 'none'"
    assert first_empty(Mapping((("", FromTask("none")),)), length_of) == "'none'"
    assert first_empty(Mapping((("x", Literal(0)),)), length_of) == "argument 'x'"
    assert first_empty(Mapping((("", Literal(0)),)), length_of) == "its input"
