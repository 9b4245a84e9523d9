"""Protects the next upgrade: nothing reaches into a library beyond what it offers to everyone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

OURS = {"rag", "ingest", "eval", "app", "tests"}
FILES = [
    ROOT / "app.py",
    *(path for name in ("rag", "ingest", "eval") for path in (ROOT / name).rglob("*.py")),
]
KNOWN = re.compile(
    r"\._server\b|\._admin_client\b|\._session\b|\._identifier_to_system\b|demo\._queue|sys\.modules\["
    r"|create_app =|_get_client\(|__pydantic_(?!config)\w+__|malloc_trim|setswitchinterval|gc\.freeze"
    r"|gc\.disable"
    r"|os\._exit|embeddings_queue|handle_exit"
)
"""What once stood here, and what it was for: chromadb's insides, Gradio's, pydantic's, Python's own."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def uses(source: str) -> Iterator[str]:
    """Private parts of modules that are not ours: what is imported from them, and asked of them."""
    tree = ast.parse(source)
    foreign: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {(alias.asname or alias.name.partition(".")[0]): alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {(alias.asname or alias.name): f"{node.module}.{alias.name}" for alias in node.names}
        else:
            continue
        theirs = {name: full for name, full in names.items() if full.partition(".")[0] not in OURS}
        yield from (full for full in theirs.values() if any(map(is_private, full.split("."))))
        foreign |= theirs
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            root = node.value
            while isinstance(root, ast.Attribute | ast.Call):
                root = root.value if isinstance(root, ast.Attribute) else root.func
            if isinstance(root, ast.Name) and root.id in foreign:
                yield ast.unparse(node)


def test_no_private_part_of_a_library_is_used() -> None:
    for path in FILES:
        source = path.read_text("utf-8")
        assert [*uses(source), *KNOWN.findall(source)] == [], path


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import os\nos._exit(1)", ["os._exit"]),
        ("from lxml.etree import _Element", ["lxml.etree._Element"]),
        ("import a._b.c", ["a._b.c"]),
        ("def f():\n    from chromadb import Client\n    return Client()._server", ["Client()._server"]),
        ("import chromadb as c\nc.api._x.y", ["c.api._x"]),
    ],
)
def test_private_parts_are_found(source: str, found: list[str]) -> None:
    assert list(uses(source)) == found


@pytest.mark.parametrize(
    "source",
    [
        "from rag.text.normalize import _pieces",
        "self._server = 1",
        "import os\nos.environ",
        "from __future__ import annotations",
        "from numpy import __version__",
    ],
)
def test_what_is_ours_or_public_is_not(source: str) -> None:
    assert list(uses(source)) == []
