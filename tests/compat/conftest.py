"""Translations of older forms hold while a test of this folder runs: other tests look at the SDK without them."""

import pytest

import airflow  # noqa: F401 # once; it registers its translations
from airflow import _translate
from tradewind.sdk import older_forms

older_forms.forget()


@pytest.fixture(autouse=True)
def translations():
    """The translations of the distribution."""
    _translate.install()
    yield
    older_forms.forget()
