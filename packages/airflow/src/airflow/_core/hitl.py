"""`airflow.sdk.execution_time.hitl`: questions to people, as the standard provider asks them."""

from __future__ import annotations

from typing import Any, TypedDict


class HITLUser(TypedDict):
    """A person who may answer."""

    id: str
    name: str


def _seam() -> Any:
    import importlib

    try:
        return importlib.import_module("tradewind.sdk.hitl")
    except ImportError:
        raise NotImplementedError(
            "questions to people: use the operators of tradewind.standard (HITLOperator, ApprovalOperator, ...) "
            "without the standard provider's package"
        ) from None


def upsert_hitl_detail(**fields: Any) -> Any:
    """Ask."""
    return _seam().upsert_hitl_detail(**fields)


def update_hitl_detail_response(**fields: Any) -> Any:
    """Answer."""
    return _seam().update_hitl_detail_response(**fields)


def get_hitl_detail_content_detail(**fields: Any) -> Any:
    """What was answered."""
    return _seam().get_hitl_detail_content_detail(**fields)
