"""Loading DAG files."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tradewind.sdk.loading import LoadedFile, find_dag, load_dag_file
from tradewind.sdk.stack import building
from tradewind.wire.errors import NotFound

Load = Callable[..., LoadedFile]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Write files given as `name=text` ("__" is "/"), load the first."""
    before, path = set(sys.modules), list(sys.path)

    def write_and_load(**files: str) -> LoadedFile:
        names = [f"{name.replace('__', '/')}.py" for name in files]
        for name, text in zip(names, files.values(), strict=True):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return load_dag_file(names[0], bundle_root=tmp_path, module_name="dag_file_under_test")

    yield write_and_load
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_globals_blocks_and_decorated(load: Load) -> None:
    source = """
from tradewind import DAG, dag
kept = DAG("kept")
def build():
    with DAG("block"):
        pass
    with DAG("hidden", auto_register=False):
        pass
    DAG("local")
build()
@dag
def decorated(): ...
decorated()
@dag
def never_called(): ...
"""
    with pytest.warns(UserWarning, match="'never_called' is never called"):
        loaded = load(f=source)
    assert sorted(loaded.dags) == ["block", "decorated", "kept"]
    assert loaded.errors == []
    assert loaded.dags["block"].fileloc.endswith("/f.py")


def test_imports_and_digest(load: Load, tmp_path: Path) -> None:
    files = {
        "f": "from tradewind import DAG\nfrom lib.helper import NAME\nd = DAG(NAME)\n",
        "lib__helper": "NAME = 'one'  # a comment\n",
        "lib____init__": "",
    }
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "__init__.py").touch()
    files.pop("lib____init__")
    first = load(**files)
    assert (list(first.dags), first.imported) == (["one"], ["lib/__init__.py", "lib/helper.py"])
    commented = load(**{**files, "lib__helper": "# another comment\nNAME  =  'one'\n"})
    assert commented.code_digest == first.code_digest
    changed = load(**{**files, "lib__helper": "NAME = 'two'\n"})
    assert list(changed.dags) == ["two"]  # the helper is imported anew, though it was saved within the same second
    assert changed.code_digest != first.code_digest
    assert changed.imported == first.imported


def test_saved_twice_in_a_second(load: Load) -> None:
    assert list(load(f="from tradewind import DAG\nd = DAG('a')\n").dags) == ["a"]
    assert list(load(f="from tradewind import DAG\nd = DAG('b')\n").dags) == ["b"]


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("x = 1\nboom()\n", "NameError: name 'boom' is not defined", 2),
        ("def f(:\n", "SyntaxError", 1),
        ("\x00", "SyntaxError", None),
        ("import sys\nsys.exit(3)\n", "SystemExit: the file called sys.exit(3)", 2),
        ("import nothing_of_this_name\n", "ModuleNotFoundError: No module named 'nothing_of_this_name'", 1),
        ("from tradewind import DAG\n\nDAG('a b')\n", "WrongValue: DAG id 'a b' contains ' '", 3),
        ("raise GeneratorExit\n", "GeneratorExit", 1),
    ],
)
def test_files_that_do_not_load(load: Load, text: str, message: str, line: int | None) -> None:
    loaded = load(f=text)
    assert loaded.dags == {}
    (error,) = loaded.errors
    assert error.message.startswith(message)
    assert error.dag_id is None
    if line is not None:
        assert error.line == line


def test_binary_garbage(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_bytes(bytes(range(256)))
    (error,) = load_dag_file("f.py", bundle_root=tmp_path, module_name="dag_file_under_test").errors
    assert "SyntaxError" in error.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (error,) = load_dag_file("f.py", bundle_root=tmp_path, module_name="dag_file_under_test").errors
    assert error.message.startswith("FileNotFoundError")


def test_tracebacks_show_only_the_authors_frames(load: Load) -> None:
    loaded = load(
        f="from tradewind import DAG\nfrom helper import make\nwith DAG('d'):\n    make()\n",
        helper="from tradewind import task\ndef make():\n    task(retrys=1)(lambda: 1)\n",
    )
    (error,) = loaded.errors
    assert "helper.py" in error.traceback
    assert "did you mean 'retries'" in error.traceback
    assert "/sdk/" not in error.traceback
    assert "importlib" not in error.traceback
    assert error.line == 4
    assert building.dags == []  # the block the file left open is closed


def test_one_broken_dag_does_not_hide_the_others(load: Load) -> None:
    loaded = load(
        f="""
from tradewind import DAG, task
with DAG("good"):
    pass
with DAG("bad"):
    @task
    def a(): ...
    x = a()
    x >> x
"""
    )
    assert list(loaded.dags) == ["good"]
    (error,) = loaded.errors
    assert error.dag_id == "bad"
    assert "a >> a" in error.message


def test_the_same_id_twice_in_a_file(load: Load) -> None:
    loaded = load(f="from tradewind import DAG\na = DAG('d')\nb = DAG('d')\nc = DAG('c')\n")
    (error,) = loaded.errors
    assert "two DAGs 'd'" in error.message
    assert "f.py" in error.message
    assert sorted(loaded.dags) == ["c", "d"]


def test_dags_of_other_modules_are_marked(load: Load) -> None:
    loaded = load(
        f="from tradewind import DAG\nfrom other import theirs, make\nown = make('own')\n",
        other="from tradewind import DAG\ndef make(dag_id):\n    return DAG(dag_id)\ntheirs = make('theirs')\n",
    )
    assert sorted(loaded.dags) == ["own", "theirs"]
    assert loaded.origins == {"theirs": "other.py"}


def test_archives(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("first.py", "from tradewind import DAG\nimport helper_in_zip\nd = DAG(helper_in_zip.NAME)\n")
        archive.writestr("helper_in_zip.py", "NAME = 'zipped'\n")
        archive.writestr("broken.py", "1 / 0\n")
        archive.writestr("folder/ignored.py", "1 / 0\n")
    whole = load_dag_file("a.zip", bundle_root=tmp_path, module_name="zip_under_test")
    assert list(whole.dags) == ["zipped"]
    assert [error.message for error in whole.errors] == ["ZeroDivisionError: division by zero"]
    assert "a.zip/broken.py" in whole.errors[0].traceback
    member = load_dag_file("a.zip/first.py", bundle_root=tmp_path, module_name="zip_under_test")
    assert (list(member.dags), member.errors) == (["zipped"], [])
    (tmp_path / "b.zip").write_bytes(b"no archive")
    assert "BadZipFile" in load_dag_file("b.zip", bundle_root=tmp_path, module_name="zip_under_test").errors[0].message


def test_find_dag(load: Load, tmp_path: Path) -> None:
    load(f="from tradewind import DAG\nd = DAG('present')\n", broken="1 / 0\n")
    found = find_dag("f.py", "present", bundle_root=tmp_path, module_name="dag_file_under_test")
    assert found.dag_id == "present"
    with pytest.raises(NotFound, match=r"'f.py' has no DAG 'presents'; did you mean 'present'"):
        find_dag("f.py", "presents", bundle_root=tmp_path, module_name="dag_file_under_test")
    with pytest.raises(NotFound, match=r"(?s)'x' cannot be loaded from 'broken.py'.*ZeroDivisionError"):
        find_dag("broken.py", "x", bundle_root=tmp_path, module_name="dag_file_under_test")


def test_classes_of_the_file_can_be_pickled(load: Load) -> None:
    import pickle

    load(f="import dataclasses\n@dataclasses.dataclass\nclass Row:\n    a: int\n")
    row = sys.modules["dag_file_under_test"].Row(1)
    assert pickle.loads(pickle.dumps(row)) == row
