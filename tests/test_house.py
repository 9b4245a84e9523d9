"""Protects the house: imports only point down, heavy libraries stay in their rooms, and no trace of a machine
or of an undocumented setting is left behind."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

from rag.settings import FIELDS, Settings, load_settings, variable
from tests.conftest import ROOT

# --- imports

FLOORS = {
    0: "rag.schema rag.errors ingest eval",
    1: "rag.settings rag.faults rag.retry rag.embedding_choice rag.numerals rag.facts rag.text rag.stopwords"
    " rag.sentences"
    " rag.analysis rag.cues rag.texts rag.prompts rag.intake rag.pipes"
    " rag.courtesy rag.parse rag.proxies rag.days rag.catalogue_texts rag.offers rag.i18n",
    2: "rag.glossary rag.library_file rag.library_rows rag.library rag.fingerprint"
    " rag.postings rag.bm25 rag.lexical rag.providers rag.embedding rag.hashing"
    " rag.chroma rag.vector_records rag.shelf rag.seal rag.vectors rag.lock rag.shared"
    " rag.ngrams rag.passage_terms rag.capitals"
    " rag.query rag.separable rag.citations rag.llm rag.chat_model rag.embedder rag.embedding_cache"
    " rag.embedding_class rag.embedding_remote rag.records rag.known rag.kind",
    3: "rag.matching rag.support rag.draft rag.verify rag.generate rag.judge rag.writing rag.retrieval"
    " rag.dense rag.extract rag.compose rag.confidence rag.rewrite rag.suggest rag.job rag.catalogue"
    " ingest.files ingest.decoding ingest.documents ingest.readers ingest.read_*"
    " ingest.shapes ingest.head ingest.body ingest.language ingest.duplicates ingest.articles"
    " ingest.chunking ingest.copies ingest.sources",
    4: "rag.plain rag.adapters rag.engine rag.llama rag.serve.wire"
    " ingest.sync ingest.look ingest.plan ingest.report ingest.run ingest.replica"
    " ingest.publish ingest.backup ingest.uploads ingest.watch ingest.intake",
    5: "rag.serve rag.serve.* eval.*",
    6: "app ingest.__main__ eval.__main__",
    7: "rag rag.__main__",
}
"""A module imports from lower floors, and from its own floor within its package, never in a circle."""

HOMES = {
    "chromadb": "rag.chroma rag.shared",
    "docx": "ingest.read_docx",
    "gradio": "rag.serve.ui",
    "jinja2": "rag.serve.views",
    "httpx": "rag.faults rag.chat_model rag.proxies",
    "llama_index": "rag.providers rag.chat_model rag.embedder rag.embedding rag.embedding_class"
    " rag.embedding_remote rag.adapters rag.llama rag.llm",
    "mcp": "rag.serve.mcp_server",
    "openai": "rag.faults rag.proxies rag.providers rag.embedding_remote"
    " rag.serve.openai_api rag.serve.openai_models rag.serve.openai_text",
    "pypdf": "ingest.read_pdf",
    "tiktoken": "rag.text",
    "trafilatura": "ingest.read_html",
}
"""The rooms of the heavy libraries; no other module imports them."""

AT_ONCE = (
    "rag.embedding rag.embedding_remote rag.llama rag.llm rag.serve.ui rag.serve.mcp_server"
    " rag.serve.openai_api rag.serve.openai_models rag.serve.openai_text rag.serve.views"
)
"""Modules that import their heavy library as they are imported, to subclass it; others once it is used."""

RETURNS = {("rag.adapters", "rag.llama")}
"""Imports that close a circle and are meant: an engine hands out the LlamaIndex parts built on it."""

LIGHT = ["rag", "rag.engine", "ingest.sync", "app", "rag.__main__", "ingest.__main__"]
"""Modules that load no heavy library, not even by way of others."""


@dataclass(frozen=True, slots=True)
class Import:
    """`target` is a module of ours or a foreign library; `at_once` when importing the module runs it."""

    target: str
    line: int
    at_once: bool


def sources() -> dict[str, Path]:
    """Our modules by name, packages included."""
    files = [
        ROOT / "app.py",
        *(path for package in ("rag", "ingest", "eval") for path in (ROOT / package).rglob("*.py")),
    ]
    parts = {path: path.relative_to(ROOT).with_suffix("").parts for path in files}
    return {".".join(part for part in names if part != "__init__"): path for path, names in parts.items()}


MODULES = sources()


def imports(source: str, module: str) -> list[Import]:
    """What a module imports: `from rag import lock` is rag.lock, and a package's name where it is one."""
    return list(_imports(ast.parse(source), module, at_once=True))


def _imports(node: ast.AST, module: str, *, at_once: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, node.lineno, at_once) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{module}:{node.lineno}: import by the full name"
        base = str(node.module)
        names = [f"{base}.{alias.name}" for alias in node.names]
        for target in dict.fromkeys(name if name in MODULES else base for name in names):
            yield Import(target, node.lineno, at_once)
    elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for statement in node.body:
            yield from _imports(statement, module, at_once=False)
        for statement in node.orelse:
            yield from _imports(statement, module, at_once=at_once)
    else:
        later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from _imports(child, module, at_once=at_once and not later)


def floor(module: str) -> int:
    exact = {name: number for number, names in FLOORS.items() for name in names.split()}
    if module in exact:
        return exact[module]
    found = [number for pattern, number in exact.items() if fnmatch(module, pattern)]
    assert found, (
        f"{module} is on no floor: add it to FLOORS in tests/test_house.py (and to the architecture)"
    )
    return found[0]


def fault(module: str, found: Import) -> str | None:
    """What is wrong with an import, if anything."""
    if found.target in MODULES:
        return _fault_of_ours(module, found.target)
    library = found.target.split(".")[0]
    if library not in HOMES:
        return None
    if module not in HOMES[library].split():
        return f"{library} stays in {HOMES[library]}"
    if found.at_once and module not in AT_ONCE.split():
        return f"import {library} inside the function that needs it"
    return None


def _fault_of_ours(module: str, target: str) -> str | None:
    package, other = module.split(".")[0], target.split(".")[0]
    if package == "rag" != other and floor(module) < 6:
        return f"rag never imports {other}"
    above = floor(target) - floor(module)
    if above > 0 or (above == 0 and package != other):
        return f"{target} is on floor {floor(target)}, {module} on floor {floor(module)}"
    return None


def all_imports() -> Iterator[tuple[str, Import]]:
    for module, path in MODULES.items():
        yield from ((module, found) for found in imports(path.read_text("utf-8"), module))


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_floor(module: str) -> None:
    assert floor(module) in FLOORS


def test_imports_point_down_and_heavy_libraries_stay_at_home() -> None:
    faults = [
        f"{MODULES[module].relative_to(ROOT)}:{found.line}: {wrong}"
        for module, found in all_imports()
        if (wrong := fault(module, found))
    ]
    assert faults == []


def test_no_circle_of_imports() -> None:
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for module, found in all_imports():
        if found.target in MODULES and (module, found.target) not in RETURNS:
            graph[module].add(found.target)
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("module", [module for module in LIGHT if module in MODULES])
def test_importing_the_light_modules_loads_no_heavy_library(module: str) -> None:
    code = f"import {module}, sys; print(*sorted({set(HOMES)} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


@pytest.mark.parametrize(
    ("module", "source", "reason"),
    [
        ("rag.text", "from rag.engine import Engine", "rag.engine is on floor 4, rag.text on floor 1"),
        ("rag.text", "from rag import engine", "rag.engine is on floor 4"),
        ("rag.text", "def f():\n    import rag.engine", "rag.engine is on floor 4"),
        ("rag.text", "if TYPE_CHECKING:\n    from rag.engine import Engine", "rag.engine is on floor 4"),
        ("rag.engine", "from ingest.readers import Document", "rag never imports ingest"),
        ("rag.serve.ui", "import app", "rag never imports app"),
        ("ingest.sync", "from rag.engine import Engine", "rag.engine is on floor 4"),
        ("rag.engine", "def f():\n    import chromadb", "chromadb stays in rag.chroma"),
        ("rag.chroma", "from chromadb.config import Settings", "import chromadb inside the function"),
        ("rag.chroma", "class V:\n    import chromadb", "import chromadb inside the function"),
        (
            "rag.chroma",
            "try:\n    import chromadb\nfinally:\n    pass",
            "import chromadb inside the function",
        ),
    ],
)
def test_imports_that_break_a_rule_are_found(module: str, source: str, reason: str) -> None:
    (found,) = imports(source, module)
    assert reason in (fault(module, found) or "")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("rag.library", "from rag.errors import BelegError"),
        ("rag.schema", "from rag.errors import BelegError"),
        ("ingest.sync", "from rag.vectors import Vectors"),
        ("rag.__main__", "def f():\n    from ingest.sync import sync"),
        ("rag.chroma", "def f():\n    import chromadb"),
        ("rag.chroma", "if TYPE_CHECKING:\n    import chromadb"),
        ("rag.embedding", "from llama_index.core.embeddings import BaseEmbedding"),
    ],
)
def test_imports_that_keep_the_rules_pass(module: str, source: str) -> None:
    (found,) = imports(source, module)
    assert fault(module, found) is None


def test_relative_imports_are_refused() -> None:
    with pytest.raises(AssertionError, match=r"rag\.text:1: import by the full name"):
        imports("from . import engine", "rag.text")


def test_a_module_without_a_floor_is_named() -> None:
    with pytest.raises(AssertionError, match=r"rag\.attic is on no floor: add it to FLOORS"):
        floor("rag.attic")


# --- traces of a machine

# put together here, so that this file does not hold them
TRACES = re.compile(
    r"(?<![\w.-])/(?:work|root)/"
    r"|/opt/(?:pypi|wheels)"
    r"|pypi\.org|pythonhosted\.org|npmjs\.org|(?:deb|security)\.debian\.org|crates\.io|proxy\.golang\.org"
)
LOCKED = re.compile(r"[\w.-]+==[\w.]+(?: ; [^/@]+)?(?: \\)?|    --hash=sha256:[0-9a-f]{64}(?: \\)?|#.*")


def tracked_files() -> list[Path]:
    """The files that git has or would take; the test is skipped in a copy without git."""
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-zco", "--exclude-standard"]
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(git, capture_output=True, check=True).stdout.decode()
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_place_on_a_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked_files()
        if path != Path(__file__).resolve() and b"\0" not in (content := path.read_bytes())
        for match in TRACES.finditer(content.decode("utf-8", "replace"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "is_trace"),
    [
        ("cd /work/main", True),
        ('"/root/.cache"', True),
        ("https://pypi.org/simple", True),
        ("--find-links=/opt/wheels", True),
        ("see https://beleg.example/work/list", False),
        ("docs/work/", False),
        ("httpx==0.28.1", False),
    ],
)
def test_traces_are_found(line: str, is_trace: bool) -> None:
    assert bool(TRACES.search(line)) == is_trace


@pytest.mark.parametrize(
    "name",
    ["requirements.lock", "requirements-dev.lock", "requirements-llama.lock", "requirements-fuzz.lock"],
)
def test_locks_hold_versions_and_hashes_only(name: str) -> None:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    assert [line for line in lines if not LOCKED.fullmatch(line) or "://" in line] == []
    assert not any(re.match("torch|nvidia", line) for line in lines)


def test_the_dev_lock_holds_the_runtime_lock() -> None:
    runtime, dev = (
        {line for line in (ROOT / name).read_text("utf-8").splitlines() if "==" in line}
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime - dev == set()


# --- settings


def paragraphs() -> list[str]:
    """What .env.example has to say of each setting: its help, its name and its default."""
    return [
        f"# {field.description}\n#{variable(name)}={'' if field.default is None else field.default}"
        for name, field in FIELDS.items()
    ]


def test_env_example_documents_each_setting_and_nothing_else() -> None:
    _, *written = (ROOT / ".env.example").read_text("utf-8").removesuffix("\n").split("\n\n")
    assert written == paragraphs()


def test_the_values_in_env_example_are_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    (tmp_path / "env").write_text("\n".join(re.findall(r"^#([A-Z_]+=.+)$", example, re.M)), "utf-8")
    monkeypatch.setattr("rag.settings.ENV_FILE", tmp_path / "env")
    assert load_settings() == Settings()
