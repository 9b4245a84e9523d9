"""Protects ranking by meaning: it adds what words miss, costs nothing twice, and is missed without harm."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

import app
from ingest.diff import is_current
from ingest.sync import embeds_at_once, sync
from rag.engine import open_engine
from rag.errors import IndexBusy, IndexMismatch, ProviderAuth, ProviderProtocol, ProviderUnavailable
from rag.models import faults
from rag.models.embedding import PROBE
from rag.models.embedding_cache import FILE_NAME as CACHE
from rag.models.embedding_cache import EmbeddingCache
from rag.question.query import understand
from rag.retrieval.meaning import PAUSE, Dense, nearness, open_dense
from rag.retrieval.retriever import Nearness
from rag.settings import Settings
from rag.store.chroma import Chroma
from rag.store.library import Library
from tests.dossier import BRIDGE, DOSSIER, index_of, settings_for, write
from tests.embedding_server import DIMENSION, Model, serving

BY_MEANING = "Tierhalter Nutztiere"  # the article says Schäfer and Schafe
BY_WORDS = "Wer leitet die Bücherei?"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture
def server() -> Iterator[Model]:
    with serving() as served:
        yield served


@pytest.fixture
def settings(server: Model, tmp_path: Path) -> Settings:
    """A dossier to be indexed by a model on the server."""
    write(tmp_path / "articles", *DOSSIER)
    return settings_for(tmp_path, embedding="openai-like:bge-m3", embedding_url=server.url)


def first(settings: Settings, question: str) -> str | None:
    with closing(open_engine(settings)) as engine:
        found = engine.search(question)
    return found[0].article.id if found else None


# --- indexing


def test_the_index_says_what_its_vectors_are(server: Model, settings: Settings) -> None:
    steps: list[tuple[str, int, int]] = []
    report = sync(settings, progress=lambda *step: steps.append(step))
    assert f"embedding openai-like:bge-m3/{DIMENSION}," in report.fingerprint
    assert ("embed", 5, 5) in steps
    assert len(server.texts) == len(set(server.texts)) == report.chunks + 1
    assert is_current(settings)
    assert (sync(settings).unchanged, len(server.texts)) == (5, report.chunks + 1)


def test_a_rebuild_pays_for_nothing_twice(server: Model, settings: Settings) -> None:
    sync(settings)
    asked = len(server.texts)
    sync(settings, rebuild=True)
    assert server.texts[asked:] == [PROBE]  # whether it is still the same model


def test_a_changed_article_is_all_that_is_paid_for(server: Model, settings: Settings) -> None:
    sync(settings)
    asked = len(server.texts)
    path = settings.articles / "wolf.md"
    path.write_text(path.read_text("utf-8") + "Der Wolf blieb.\n", "utf-8")
    assert sync(settings).changed == 1
    (paid,) = server.texts[asked:]
    assert "Der Wolf blieb." in paid


def test_an_interrupted_sync_goes_on_where_it_was(
    server: Model, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.store.chroma.MOST", 1)
    server.script.extend([server.truth] * 3)
    server.fail(401)
    with pytest.raises(ProviderAuth):
        sync(settings)
    assert not is_current(settings)
    assert first(settings, BY_WORDS) == "buecherei"
    paid = server.texts[1:3]  # after the probe, and before the one that was refused
    asked = len(server.texts)
    assert sync(settings).unchanged == 5
    assert not set(server.texts[asked:]) & set(paid)
    assert first(settings, BY_WORDS) == "buecherei"


def test_a_provider_that_fails_leaves_the_new_articles_answering_by_words(
    server: Model, settings: Settings
) -> None:
    sync(settings)
    write(settings.articles, replace(BRIDGE, id="neu", text="Ganz neu ist der Kran."))
    server.down = True
    with pytest.raises(ProviderUnavailable, match=r"failure of its own \(503\).*found by their words"):
        sync(settings)
    assert first(settings, "Was ist mit dem Kran?") == "neu"
    assert is_current(settings, vectors=False)
    assert not is_current(settings)
    server.down = False
    assert sync(settings).pending == 0
    with Library.open(settings.data_dir, read_only=True) as library, Chroma.open(settings.data_dir) as found:
        assert found.ids() == set(library.chunk_rows())


def test_articles_answer_before_their_provider_was_ever_reached(server: Model, settings: Settings) -> None:
    server.down = True
    with pytest.raises(ProviderUnavailable):
        sync(settings)
    assert first(settings, BY_WORDS) == "buecherei"
    server.down = False
    assert f"bge-m3/{DIMENSION}," in sync(settings).fingerprint
    assert first(settings, BY_MEANING) == "wolf"


def test_the_chat_starts_without_its_provider_and_has_the_new_articles(
    server: Model, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    server.down = True
    app.update(settings)
    assert "found by their words" in capsys.readouterr().err
    assert first(settings, BY_WORDS) == "buecherei"


def test_vectors_that_are_lost_are_missed_without_harm_and_said(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    sync(settings)
    (settings.data_dir / "chroma" / "chroma.sqlite3").write_bytes(b"")
    assert first(settings, BY_WORDS) == "buecherei"
    assert "by their words until python -m ingest" in caplog.text
    sync(settings)
    assert first(settings, BY_MEANING) == "wolf"


def test_a_model_on_this_machine_is_not_waited_for_at_the_start() -> None:
    assert embeds_at_once(Settings())
    assert embeds_at_once(Settings(embedding="openai-like:bge-m3"))
    assert not embeds_at_once(Settings(embedding="llama_index.embeddings.fastembed.FastEmbedEmbedding"))


def test_a_model_with_other_vectors_is_refused_until_a_rebuild(server: Model, settings: Settings) -> None:
    sync(settings)
    server.dimension = 8
    (settings.articles / "wolf.md").write_text("Der Wolf ist fort.", "utf-8")
    with pytest.raises(ProviderProtocol, match=r"vectors of 8 numbers, where the index has 16"):
        sync(settings)
    assert f"bge-m3/{DIMENSION}," in _fingerprint(settings)
    assert "bge-m3/8," in sync(settings, rebuild=True).fingerprint
    assert first(settings, BY_MEANING) is not None


def _fingerprint(settings: Settings) -> str:
    with Library.open(settings.data_dir, read_only=True) as library:
        return library.fingerprint


@pytest.mark.parametrize(
    "change",
    [{"embedding": "builtin"}, {"embedding": "openai-like:e5"}, {"embedding_options": '{"dimensions": 8}'}],
)
def test_another_embedding_is_a_mismatch_that_changes_nothing(
    settings: Settings, change: dict[str, str]
) -> None:
    sync(settings)
    other = replace(settings, **change)
    for use in (sync, open_engine):
        with pytest.raises(IndexMismatch, match=r"bge-m3/16.* run: python -m ingest --rebuild"):
            use(other)
    assert first(settings, BY_WORDS) == "buecherei"


def test_vectors_without_use_are_let_go(
    server: Model, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.meaning._SPARE_VECTORS", 0)
    for number in range(8):
        (settings.articles / "wolf.md").write_text(f"Heute kamen {number + 2} Wölfe.", "utf-8")
        sync(settings)
    asked = len(server.texts)
    sync(settings, rebuild=True)
    assert server.texts[asked:] == [PROBE]  # what is in the index is still held
    with closing(EmbeddingCache(settings.data_dir / CACHE)) as cache:
        assert len(cache) <= 2 * 5


# --- ranking


def test_meaning_finds_what_words_do_not(settings: Settings) -> None:
    sync(settings)
    assert first(replace(settings, dense_weight=0.0), BY_MEANING) != "wolf"
    assert first(settings, BY_MEANING) == "wolf"


def test_words_still_count(settings: Settings) -> None:
    sync(settings)
    assert first(settings, BY_WORDS) == "buecherei"


def test_the_builtin_embedding_has_no_weight_unless_given(settings: Settings) -> None:
    builtin = replace(settings, embedding="builtin", embedding_url=None)
    sync(builtin)
    assert open_dense(builtin, _fingerprint(builtin)) is None
    weighted = replace(builtin, dense_weight=0.5)
    assert first(weighted, BY_WORDS) == "buecherei"


def test_scores_are_a_mean_of_words_and_meaning() -> None:
    index, query = index_of(*DOSSIER), understand(BY_WORDS)
    (plain, *_) = index.rank(query, 1).hits
    ids = {id.split("#")[0]: id for id in index.library.chunk_rows()}
    same = index.rank(query, 1, Nearness(1.0, {ids["buecherei"]: 1.0, "gone#1#0": 0.9})).hits[0]
    assert same.passage.article.id == plain.passage.article.id == "buecherei"
    assert plain.passage.score < same.passage.score <= 1
    other = index.rank(query, 2, Nearness(9.0, {ids["wolf"]: 1.0})).hits[0]
    assert other.passage.article.id == "wolf"


def test_the_nearest_counts_one_and_the_farthest_nothing() -> None:
    assert nearness([("a", 0.8), ("b", 0.75), ("c", 0.6)], 0.3).shares == pytest.approx(
        {"a": 1, "b": 0.75, "c": 0}
    )
    assert nearness([], 0.3).shares == {}
    assert nearness([("a", 0.8)], 0.3).shares == {"a": 0}


def test_suggestions_are_tried_without_the_provider(server: Model, settings: Settings) -> None:
    sync(settings)
    asked = len(server.requests)
    with closing(open_engine(settings)) as engine:
        assert engine.suggestions()
    assert len(server.requests) == asked


# --- a provider that is missing when a question comes


def test_without_its_provider_a_question_is_answered_by_words(
    server: Model, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    sync(settings)
    server.down = True
    with closing(open_engine(settings)) as engine, caplog.at_level(logging.WARNING):
        answers = [engine.ask(question) for question in (BY_WORDS, "Wer dirigiert die Konzerte?")]
    assert [answer.citations[0].article_id for answer in answers] == ["buecherei", "konzert"]
    (said,) = caplog.messages
    assert "by their words alone" in said
    assert "Bücherei" not in said


def test_a_provider_that_failed_is_asked_again_after_a_pause(
    server: Model, settings: Settings, now: list[float], dense: Callable[[], Dense]
) -> None:
    sync(settings)
    with closing(dense()) as found:
        server.down = True
        assert found.near("Wer?") is None
        server.down = False
        now[0] += PAUSE - 1
        assert found.near("Wer?") is None
        now[0] += 1
        assert found.near("Wer?") is not None


def test_one_odd_question_does_not_silence_the_others(
    server: Model, settings: Settings, dense: Callable[[], Dense]
) -> None:
    sync(settings)
    with closing(dense()) as found:
        server.fail(400, "context_length_exceeded")
        assert found.near("Sehr lang") is None
        assert found.near("Kurz") is not None


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def dense(settings: Settings, now: list[float]) -> Callable[[], Dense]:
    def opened() -> Dense:
        found = open_dense(settings, _fingerprint(settings))
        assert found is not None
        found._clock = lambda: now[0]
        return found

    return opened


# --- one owner


def test_the_engine_says_where_questions_go(server: Model, settings: Settings) -> None:
    sync(settings)
    with closing(open_engine(settings)) as engine:
        assert engine.sends_to == server.url.split("/")[2]


def test_an_engine_that_ranks_by_meaning_owns_the_folder(settings: Settings) -> None:
    sync(settings)
    code = (
        "import sys; from pathlib import Path; from rag.store import lock\n"
        "with lock.owned(Path(sys.argv[1]).resolve(), 0.1): pass"
    )
    command = [sys.executable, "-c", code, str(settings.data_dir)]
    with closing(open_engine(settings)):
        refused = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert IndexBusy.__name__ in refused.stderr
        sync(settings, rebuild=True)  # this process may
    assert subprocess.run(command, timeout=300).returncode == 0


def test_an_engine_goes_on_over_a_rebuild(settings: Settings) -> None:
    sync(settings)
    with closing(open_engine(settings)) as engine:
        sync(settings, rebuild=True)
        assert engine.search(BY_MEANING)[0].article.id == "wolf"
