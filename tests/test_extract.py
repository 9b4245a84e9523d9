"""Protects the choice of sentences: the one that answers goes before those that only sound like it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from rag.answering.extract import candidates
from rag.question.query import understand
from rag.retrieval.meaning import SentenceMeaning
from rag.schema import Article
from tests.dossier import APPLES, CONCERT, DOSSIER, article, aside, candidates_for, index_of, ranked

TURM_S = article(
    "saathoff",
    "Die Sanierung kostet zwei Millionen Euro. Im Herbst soll alles fertig sein.",
    title="Sanierung am Leuchtturm",
    author="Imke Saathoff",
    outlet="Küstenkurier",
)
TURM_D = article(
    "dirksen",
    "Die Sanierung kostet fünf Millionen Euro. Im Herbst soll alles fertig sein.",
    title="Streit am Leuchtturm",
    author="Onno Dirksen",
    outlet="Moorhafener Bote",
)


def best(question: str, *texts: str) -> str:
    """The best sentence for a question in an article of these sentences."""
    return candidates_for(question, article("a", " ".join(texts), title="Kurz gemeldet"))[0].text


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Was kostet die Reparatur der Brücke?", "Die Reparatur kostet nach Angaben der Stadt 4,3 Millionen"),
        ("Wer dirigiert die Konzerte?", "Oksana Tschumatschenko dirigiert"),
        ("Warum fordert der Verband Hilfen?", "Der Verband fordert Hilfen vom Land, weil"),
        ("Wie viele Schafe verlor der Schäfer?", "Schäfer Arne Petersen verlor in drei Nächten elf Schafe"),
        ("Since when has Mareike Deters directed the library?", "Mareike Deters leitet die Bücherei"),
        ("Combien coûte la réparation du pont ?", "Die Reparatur kostet"),
        ("Скільки коштує ремонт мосту?", "Die Reparatur kostet"),
        ("Quanto custa a reparação da ponte?", "Die Reparatur kostet"),
    ],
)
def test_sentence_that_answers_is_best(question: str, answer: str) -> None:
    assert candidates_for(question, *DOSSIER)[0].text.startswith(answer)


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    ("question", "offers", "overlaps"),
    [
        ("Wann öffnet die Brücke wieder?", "Die Brücke öffnet am 3. Mai.", "Die Brücke öffnet wieder."),
        ("Wie viele nutzen die Fähre?", "Die Fähre nutzen 340 Leute.", "Die Fähre nutzen auch Leute."),
        ("Wie lange dauert die Sperrung?", "Die Sperrung dauert fünf Monate.", "Die Sperrung dauert an."),
        ("Wer plante den Deich?", "Der Deich wurde von Wiebke Harms geplant.", "Der Deich wurde geplant."),
        ("Wo wird das Fest gefeiert?", "Das Fest wird in Greetsiel gefeiert.", "Das Fest wird gefeiert."),
        ("Warum ist die Schule zu?", "Die Schule ist zu, weil es tropft.", "Die Schule ist zu, es tropft."),
        ("Wie alt ist der Wärter?", "Der 71-jährige Wärter wohnt dort.", "Der alte Wärter wohnt dort."),
        ("When does the bridge open?", "Die Brücke öffnet am 3. Mai.", "Die Brücke öffnet bei Flut."),
        ("Чому школа зачинена?", "Die Schule ist zu, weil es tropft.", "Die Schule ist zu, es tropft."),
    ],
)
def test_the_kind_of_answer_asked_for_beats_mere_overlap(
    question: str, offers: str, overlaps: str, swapped: bool
) -> None:
    texts = (overlaps, offers) if swapped else (offers, overlaps)
    assert best(question, *texts) == offers


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    ("question", "counts", "another"),
    [
        ("Wie viele Rehe sah er?", "Der Förster sah im Wald 60 Rehe.", "Der Förster sah Rehe in 14 Nächten."),
        ("Wie viele Schleusen gibt es?", "Es gibt zwölf alte Schleusen.", "Es gibt Schleusen seit 1907."),
    ],
)
def test_a_number_beside_its_noun_beats_another_number(
    question: str, counts: str, another: str, swapped: bool
) -> None:
    texts = (another, counts) if swapped else (counts, another)
    assert best(question, *texts) == counts


@pytest.mark.parametrize(
    ("language", "question", "event", "reason", "other"),
    [
        (
            "de",
            "Warum schließt der Zirkus Sarani?",
            "Der Zirkus Sarani schließt im Mai.",
            "Ursache sind nach seinen Worten zwei kaputte Zelte.",
            "Die Tiere ziehen um.",
        ),
        (
            "en",
            "What is the reason the Corley ferry stopped?",
            "The Corley ferry stopped on Monday.",
            "Its owner blamed a broken winch.",
            "The crew went home.",
        ),
        (
            "fr",
            "Pourquoi le cirque Sarani ferme-t-il ?",
            "Le cirque Sarani ferme en mai.",
            "Son patron invoque le prix du foin.",
            "Les bêtes déménagent.",
        ),
        (
            "pt",
            "Qual é o motivo de o circo Sarani fechar?",
            "O circo Sarani vai fechar em maio.",
            "O dono justifica-se com a lona rota.",
            "Os animais mudam de casa.",
        ),
        (
            "uk",
            "Чому цирк Сарані закривається?",
            "Цирк Сарані закривається у травні.",
            "Власник пояснив це дірявим наметом.",
            "Тварин перевезуть.",
        ),
    ],
)
def test_a_sentence_that_names_the_reason_goes_before_the_event_that_it_stands_behind(
    language: str, question: str, event: str, reason: str, other: str
) -> None:
    """Also where it shares no word with the question."""
    told = article("a", " ".join((other, event, reason)), language=language)
    assert candidates_for(question, told)[0].text == reason
    far = article("b", " ".join((event, *[other] * 3, reason)), language=language)
    assert candidates_for(question, far)[0].text != reason


def test_a_date_that_the_question_says_itself_is_no_answer() -> None:
    said, other = "Im Mai öffnet die Klappbrücke früh.", "Im Mai öffnet die Klappbrücke dienstags, am 7. Mai."
    assert best("Wann im Mai öffnet die Klappbrücke?", said, other) == other


def test_a_pronoun_stands_for_the_name_in_the_sentence_before() -> None:
    texts = (
        "Wiebke Harms leitet den Deichverband.",
        "Sie stammt aus Jever.",
        "Der Verband hat zwölf Schleusen.",
    )
    assert best("Woher stammt Wiebke Harms?", *texts) == "Sie stammt aus Jever."


def test_a_follower_with_a_subject_of_its_own_gains_less() -> None:
    name, others = "Wiebke Harms leitet den Deichverband.", "Der Verband hat zwölf Schleusen."
    pronoun = article("a", f"{name} Sie stammt aus Jever. {others}")
    subject = article("b", f"{name} Gas stammt aus Jever. {others}")
    found = [c for c in candidates_for("Woher stammt Wiebke Harms?", subject, pronoun) if c.index == 1]
    assert [c.text for c in found] == ["Sie stammt aus Jever.", "Gas stammt aus Jever."]


@pytest.mark.parametrize(("by", "other"), [(TURM_S, TURM_D), (TURM_D, TURM_S)])
@pytest.mark.parametrize(
    "question",
    [
        "Was kostet die Sanierung laut {author}?",
        "Was kostet laut {surname} die Sanierung?",
        "Was kostet die Sanierung laut {outlet}?",
        "Was kostet gemäß {surname} die Sanierung?",
        "According to {surname}, what does the renovation cost?",
        "Combien coûte la rénovation selon {surname} ?",
        "Скільки коштує ремонт, за словами {surname}?",
    ],
)
def test_the_article_that_is_named_as_the_source_goes_before(
    question: str, by: Article, other: Article
) -> None:
    asked = question.format(author=by.author, surname=by.author.split()[-1], outlet=by.outlet)
    assert candidates_for(asked, other, by)[0].article == by


def test_nearly_alike_in_meaning_the_sentence_that_says_the_whole_question_is_best() -> None:
    said = "Tolmin liefert Varna Kies. Meris lud Aldan zu Gesprächen ein."
    ranking = ranked("Was liefert Tolmin an Varna?", article("a", said, title="Kurz gemeldet"))
    near = np.array([0.80, 0.83])
    meaning = SentenceMeaning(near, np.full(2, 0.8), near + 0.04, np.array([0.0, 0.02]))
    assert candidates(ranking, meaning)[0].text == "Tolmin liefert Varna Kies."


@pytest.mark.parametrize("words", [30, 120])
def test_every_sentence_of_every_hit_is_a_candidate_once(words: int) -> None:
    ranking = ranked("Was schreibt der Moorhafener Bote über Karten und Schafe?", *DOSSIER, words=words)
    spans = [(hit.passage.chunk.id, span) for hit in ranking.hits for span in hit.passage.chunk.sentences]
    found = candidates(ranking)
    assert sorted((c.chunk.id, c.span) for c in found) == sorted(spans)
    assert all(one.score >= two.score for one, two in pairwise(found))


@pytest.mark.parametrize("words", [30, 120])
def test_candidates_are_cut_out_by_offset(words: int) -> None:
    for candidate in candidates_for("Was kostet die Reparatur der Brücke?", *DOSSIER, words=words):
        start, end = candidate.span
        assert candidate.text == candidate.article.text[start:end] == candidate.text.strip() != ""
        assert candidate.chunk.start <= start < end <= candidate.chunk.end
        assert len(candidate.covered) == 3  # kostet, Reparatur, Brücke
        assert all(0 <= share <= 1 for share in candidate.covered)


def test_asides_are_no_candidates() -> None:
    text = "▲ Die Schleuse am Abend. Foto: Archiv\n\nDie Schleuse stammt aus dem Jahr 1871."
    shown = article(
        "schleuse", text, asides=[aside(text, "▲ Die Schleuse am Abend. Foto: Archiv", "caption")]
    )
    found = candidates_for("Was zeigt das Foto der Schleuse am Abend?", shown)
    assert [c.text for c in found] == ["Die Schleuse stammt aus dem Jahr 1871."]


def test_no_hits_give_no_candidates() -> None:
    assert candidates(index_of().rank(understand("Wer dirigiert die Konzerte?"), 20)) == []
    assert candidates_for("Xylqua Brzwnk", *DOSSIER) == []


def test_the_topic_in_the_title_holds_for_every_sentence() -> None:
    text = "Der Preis beträgt 40 Euro. Der Andrang ist groß."
    bound = article("a", text, title="Jahreskarte für das Freibad")
    loose = article("b", text, title="Fischmarkt")
    found = candidates_for("Wie hoch ist der Preis der Jahreskarte für das Freibad?", loose, bound)
    assert (found[0].article, found[0].text) == (bound, "Der Preis beträgt 40 Euro.")


def test_same_question_gives_the_same_order() -> None:
    question = "Wie viele Tonnen ernten die Obstbauern?"
    one, two = (candidates_for(question, APPLES, CONCERT) for _ in range(2))
    assert [(c.chunk.id, c.index, c.score) for c in one] == [(c.chunk.id, c.index, c.score) for c in two]
