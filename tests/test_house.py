"""Protects the house: commands start without heavy libraries, and no trace of a machine or of an undocumented
setting is left behind. That imports point down is checked by `make lint`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rag.settings import DEFAULTS, Settings, load_settings, variable
from tests.conftest import ROOT

# --- imports

READING = {"trafilatura", "pypdfium2", "docx", "markdown_it", "yaml", "numpy", "py3langid"}
HEAVY = {"chromadb", "docx", "gradio", "llama_index", "mcp", "openai", "pypdfium2", "tiktoken", "trafilatura"}
LIGHT = {
    "ingest.readers": READING,
    "ingest.structure.article": READING,
    "ingest.chunking": READING,
    "rag.__main__": HEAVY | {"pydantic", "numpy"},
    "ingest.__main__": HEAVY | {"pydantic", "numpy"},
    "rag.engine": HEAVY,
    "ingest.sync": HEAVY,
    "app": HEAVY,
}
"""Modules, and what they do not load, not even by way of others: every command would wait for it."""


def test_importing_the_light_modules_loads_no_heavy_library() -> None:
    code = (
        "import importlib, sys\n"
        f"for module, heavy in {LIGHT}.items():\n"
        "    importlib.import_module(module)\n"
        "    print(module, *heavy & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout.split()) == (0, list(LIGHT)), done.stderr


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


def test_env_example_documents_each_setting_and_nothing_else() -> None:
    _, *written = (ROOT / ".env.example").read_text("utf-8").removesuffix("\n").split("\n\n")
    helps, values = zip(*(paragraph.split("\n") for paragraph in written), strict=True)
    assert [help for help in helps if not re.match(r"# \w.{10}", help)] == []
    assert list(values) == [
        f"#{variable(name)}={'' if value is None else value}" for name, value in DEFAULTS.items()
    ]


def test_the_values_in_env_example_are_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    (tmp_path / "env").write_text("\n".join(re.findall(r"^#([A-Z_]+=.+)$", example, re.M)), "utf-8")
    monkeypatch.setattr("rag.settings.ENV_FILE", tmp_path / "env")
    monkeypatch.delenv("BELEG_EMBEDDING")
    assert load_settings() == Settings()
