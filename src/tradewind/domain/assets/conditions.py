"""Conditions over assets."""

from __future__ import annotations

from collections.abc import Container

from tradewind.wire.assets import AliasLeaf, AllOf, AnyOf, AssetCondition, AssetLeaf, NameLeaf, UriLeaf, topic_of


def is_met(condition: AssetCondition, there: Container[str]) -> bool:
    """Whether the condition holds when something waits at the topics `there`. All of nothing never holds."""
    match condition:
        case AllOf(of):
            return bool(of) and all(is_met(each, there) for each in of)
        case AnyOf(of):
            return any(is_met(each, there) for each in of)
        case _:
            return topic_of(condition) in there


def missing(condition: AssetCondition, there: Container[str]) -> AssetCondition | None:
    """What must still come for the condition to hold; None when it does."""
    if is_met(condition, there):
        return None
    match condition:
        case AllOf(of) | AnyOf(of):
            left = tuple(gap for each in of if (gap := missing(each, there)) is not None)
            return left[0] if len(left) == 1 else type(condition)(left)
        case _:
            return condition


def describe(condition: AssetCondition) -> str:
    """The condition in words: `a and (b or alias c)`."""
    return _words(condition, outer=True)


def _words(condition: AssetCondition, *, outer: bool = False) -> str:
    match condition:
        case AllOf(of) | AnyOf(of):
            word = " and " if isinstance(condition, AllOf) else " or "
            text = word.join(_words(each) for each in of) or "nothing"
            return text if outer or len(of) < 2 else f"({text})"
        case AssetLeaf(name) | NameLeaf(name):
            return name
        case UriLeaf(uri):
            return uri
        case AliasLeaf(name):
            return f"alias {name}"
