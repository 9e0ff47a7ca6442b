"""`tradewind providers`."""

import pytest

from tradewind.cli.main import main
from tradewind.cli.providers import distribution_of
from tradewind.wire.errors import BadInput


@pytest.mark.parametrize(
    ("name", "distribution"),
    [
        ("postgres", "apache-airflow-providers-postgres"),
        ("cncf.kubernetes", "apache-airflow-providers-cncf-kubernetes"),
        ("apache-airflow-providers-amazon", "apache-airflow-providers-amazon"),
        ("http==6.3.0", "apache-airflow-providers-http==6.3.0"),
    ],
)
def test_short_names_are_completed(name, distribution):
    assert distribution_of(name) == distribution


def test_a_name_that_is_none_is_refused():
    with pytest.raises(BadInput, match="no provider's name"):
        distribution_of("../etc")


def test_the_install_command_leaves_apache_airflow_out(capsys):
    assert main(["providers", "install", "postgres", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "--overrides" in shown
    assert shown.strip().endswith("apache-airflow-providers-postgres")


def test_a_provider_that_is_not_installed_is_not_found():
    assert main(["providers", "show", "nosuchprovider"]) == 4
