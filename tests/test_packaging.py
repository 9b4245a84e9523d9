"""Protects the installed package: all that it needs is in the wheel, and it works away from the checkout."""

from __future__ import annotations

import ast
import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from rag.schema import VERSION
from tests.conftest import ROOT
from tests.dossier import LIBRARY, write

pytestmark = pytest.mark.slow
PRODUCT = ("app.py", "rag", "ingest", "eval")
DEPENDENCIES: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
    "dependencies"
]
QUESTION = "Wer leitet die Bücherei?"


def canonical(requirement: str) -> str:
    """The name of a package in a requirement, as PyPI compares names."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement.strip())[0]).lower()  # type: ignore[index]


def imported_by(path: Path) -> Iterator[str]:
    """The top-level modules that a file imports when it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    blocks = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    ]
    for_types = {id(node) for block in blocks for each in block.body for node in ast.walk(each)}
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def imported_by_the_product() -> set[str]:
    """The top-level modules that any file of the product imports."""
    files = [
        file for name in PRODUCT for file in [ROOT / name, *(ROOT / name).rglob("*.py")] if file.is_file()
    ]
    return {module for file in files for module in imported_by(file)}


def test_whatever_the_product_imports_is_named_as_a_dependency() -> None:
    named = {canonical(each) for each in DEPENDENCIES}
    ours = {Path(name).stem for name in PRODUCT}
    foreign = imported_by_the_product() - sys.stdlib_module_names - ours
    assert {"chromadb", "httpx", "trafilatura", "yaml"} <= foreign
    found_in = packages_distributions()
    unnamed = {name for name in foreign if not named & set(map(canonical, found_in.get(name, [])))}
    assert unnamed == set()
    # lxml had it until 5.2; an old pip does not follow the extra by which justext asks for it
    assert "lxml-html-clean" in named


def test_whatever_is_named_as_a_dependency_is_imported() -> None:
    found_in = packages_distributions()
    imported = {canonical(each) for module in imported_by_the_product() for each in found_in.get(module, [])}
    # the first brings LlamaIndex's parts, the second is what trafilatura cleans pages with
    assert {canonical(each) for each in DEPENDENCIES} - imported == {"llama-index", "lxml-html-clean"}


def test_what_is_locked_is_within_the_bounds_of_each_dependency() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.MULTILINE))
    outside = [
        each for each in map(Requirement, DEPENDENCIES) if locked[canonical(each.name)] not in each.specifier
    ]
    assert outside == []


def test_every_dependency_is_exact_or_bounded_on_both_sides() -> None:
    assert [each for each in DEPENDENCIES if not re.search(r"==|>=[\d.]+,<\d+$", each)] == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network from a copy, so that the checkout stays as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in ("rag", "ingest", "eval"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip(folder, "wheel", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel is installed into, with articles beside it."""
    folder = tmp_path_factory.mktemp("installed")
    pip(folder, "install", "--target", str(folder / "site"), str(wheel))
    write(folder / "articles", LIBRARY)
    return folder


def pip(folder: Path, command: str, *arguments: str) -> None:
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", "--no-cache-dir"]
    done = run(folder, sys.executable, "-m", "pip", command, *options, *arguments)
    assert done.returncode == 0, done.stderr


def run(folder: Path, *command: str) -> Any:
    """A command in the folder, with the installed package and not with the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "site")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


def test_the_wheel_holds_every_file_that_is_no_code(wheel: Path) -> None:
    wanted = {
        str(path.relative_to(ROOT))
        for package in ("rag", "ingest", "eval")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    } - {"eval/baseline.json"}  # CI compares with it
    with zipfile.ZipFile(wheel) as archive:
        assert wanted - set(archive.namelist()) == set()


def test_the_wheel_gives_a_command(wheel: Path) -> None:
    assert wheel.name.startswith(f"beleg-{VERSION}-")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        scripts = configparser.ConfigParser()
        scripts.read_string(archive.read(name).decode())
    assert dict(scripts["console_scripts"]) == {"beleg": "rag.__main__:main"}


def test_an_app_imports_it_and_asks(installed: Path) -> None:
    code = (
        "import rag; from rag import open_engine; engine = open_engine('articles');"
        f"print(rag.__file__); print(engine.ask({QUESTION!r}).citations[0].quote)"
    )
    done = run(installed, sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    where, quote = done.stdout.splitlines()
    assert Path(where) == installed / "site" / "rag" / "__init__.py"
    assert quote.startswith("Mareike Deters leitet")


def test_the_command_line_answers(installed: Path) -> None:
    done = run(
        installed,
        str(installed / "site" / "bin" / "beleg"),
        "ask",
        QUESTION,
        "--articles",
        "articles",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["citations"][0]["article_id"] == "buecherei"


def test_without_seeds_it_says_how_to_name_articles(installed: Path) -> None:
    done = run(installed, sys.executable, "-m", "rag", "ask", QUESTION)
    assert done.returncode == 1
    assert done.stderr == (
        "beleg: seeds does not exist; give a file or folder that does (--articles, or BELEG_ARTICLES)\n"
    )


@pytest.mark.parametrize("command", ["serve", "ingest", "eval"])
def test_the_other_commands_are_there(installed: Path, command: str) -> None:
    done = run(installed, sys.executable, "-m", "rag", command, "--help")
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout
