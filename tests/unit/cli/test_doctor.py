"""`tradewind doctor` and `tradewind dags deprecations`."""

import json

from tradewind.cli.diagnosis import diagnose, package_of
from tradewind.cli.main import main


def _one(**given):
    return diagnose(
        "a.py",
        given.get("source", ""),
        given.get("dags", ["d"]),
        given.get("problems", []),
        given.get("warnings", []),
        given.get("seconds", 0.1),
    )


def test_a_file_without_findings_runs_as_it_is():
    assert _one().verdict == "runs"


def test_a_missing_provider_names_its_package_and_the_command():
    traceback = 'Traceback\n  File "dags/a.py", line 3, in <module>\n    import x'
    message = "ModuleNotFoundError: No module named 'airflow.providers.cncf'"
    found = _one(dags=[], problems=[(message.replace("cncf'", "cncf.kubernetes.operators'"), traceback)])
    (finding,) = found.findings
    assert found.verdict == "needs"
    assert (finding.line, finding.remedy) == (3, "tradewind providers install cncf-kubernetes")


def test_a_missing_module_is_named():
    found = _one(dags=[], problems=[("ModuleNotFoundError: No module named 'nosuch.part'", "")])
    assert "the Python module nosuch" in found.findings[0].text


def test_older_forms_are_notes_with_their_line():
    text = "dags/a.py:7: OlderForm: DAG(concurrency=) is called max_active_tasks now"
    found = _one(warnings=[text])
    assert found.verdict == "notes"
    assert found.findings[0][:2] == (7, "older")


def test_sessions_with_the_metadata_database_are_seen_in_the_source():
    found = _one(source="x = 1\nfrom airflow.utils.session import create_session\n")
    assert (found.findings[0].line, found.findings[0].kind) == (2, "database")


def test_slow_files_are_told():
    assert _one(seconds=5.0).findings[0].kind == "slow"


def test_packages_of_groups_have_two_parts():
    assert package_of("apache.kafka.operators.consume") == "apache-kafka"
    assert package_of("amazon.aws.hooks.s3") == "amazon"


def test_the_command_loads_a_folder_and_reports(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path / "home"))
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "good.py").write_text('from airflow.sdk import DAG\nwith DAG("good"):\n    pass\n')
    (dags / "old.py").write_text('from airflow import DAG\nwith DAG("old", schedule_interval="@daily"):\n    pass\n')
    (dags / "bad.py").write_text("from airflow import DAG\nimport nosuchmodule\n")
    page = tmp_path / "report.html"
    assert main(["doctor", str(dags), "--html", str(page), "-o", "json"]) == 1
    found = {one["file"]: one for one in json.loads(capsys.readouterr().out)}
    assert {name: one["verdict"] for name, one in found.items()} == {
        "good.py": "runs",
        "old.py": "notes",
        "bad.py": "needs",
    }
    assert found["old.py"]["findings"][0]["line"] == 2
    assert "nosuchmodule" in page.read_text()
    assert main(["dags", "deprecations", str(dags), "-o", "json"]) == 0
    (form,) = json.loads(capsys.readouterr().out)
    assert (form["file"], form["line"]) == ("old.py", 2)
    assert "CronDataIntervalTimetable" in form["form"], "the new name alone would change when it runs"
