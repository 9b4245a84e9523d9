"""What each measure is called, and what it says, in German and English."""

from __future__ import annotations

from collections.abc import Mapping

Legend = tuple[str, str]
"""A name for readers, and what the measure says."""


def _retrieval(name: str, what: str, texts: Mapping[str, str]) -> dict[str, Legend]:
    found = {}
    for kind in ("hit", "recall"):
        for k in (1, 3, 5, 10):
            found[f"{name}_{kind}@{k}"] = f"{what}: {kind}@{k}", texts[kind].format(k=k)
    found[f"{name}_mrr@10"] = f"{what}: MRR@10", texts["mrr"]
    found[f"{name}_ndcg@10"] = f"{what}: nDCG@10", texts["ndcg"]
    return found


_GERMAN_RETRIEVAL = {
    "hit": "Anteil der Fragen, bei denen unter den ersten {k} Treffern ein richtiger ist",
    "recall": "Anteil der richtigen Treffer, die unter den ersten {k} sind",
    "mrr": "Kehrwert des Rangs des ersten richtigen Treffers (Voorhees 1999)",
    "ndcg": "Güte der Reihenfolge bis Rang 10 (Järvelin & Kekäläinen 2002)",
}
_ENGLISH_RETRIEVAL = {
    "hit": "share of questions with a right result among the first {k}",
    "recall": "share of the right results that are among the first {k}",
    "mrr": "one over the rank of the first right result (Voorhees 1999)",
    "ndcg": "quality of the order down to rank 10 (Järvelin & Kekäläinen 2002)",
}

GERMAN: Mapping[str, Legend] = {
    "evidence_hit": (
        "Richtige Stelle zitiert",
        "Anteil der Fragen, bei denen ein Zitat einen richtigen Satz berührt",
    ),
    "fact_recall": ("Fakten genannt", "Anteil der erwarteten Fakten, die in der Antwort stehen"),
    "forbidden_rate": ("Verbotenes gesagt", "Anteil der Antworten, die sagen, was sie nicht sagen dürfen"),
    "language_match": (
        "Sprache der Frage",
        "Anteil der Antworten in der Sprache der Frage; wörtliche Zitate"
        " aus Artikeln einer anderen Sprache zählen als verfehlt",
    ),
    "followup_success": (
        "Anschlussfragen gelungen",
        "Anteil der Anschlussfragen, die richtig beantwortet oder abgelehnt werden",
    ),
    "words": ("Wörter je Antwort", "mittlere Länge der Antworten, die nicht ablehnen"),
    "citation_precision": (
        "Zitate: Genauigkeit",
        "Anteil der Zitate, die ihr Satz braucht (ALCE, arXiv 2305.14627)",
    ),
    "citation_recall": ("Zitate: Abdeckung", "Anteil der Sätze, die ihre Zitate gemeinsam stützen (ALCE)"),
    "quote_exact": (
        "Wortgetreu zitiert",
        "Anteil der Antworten, deren Zitate Zeichen für Zeichen im Artikel stehen",
    ),
    "judge_faithfulness": (
        "Treue (Sprachmodell)",
        "Anteil der Sätze, die ein Sprachmodell durch die Fundstellen gestützt sieht",
    ),
    "abstention_precision": ("Ablehnen: Genauigkeit", "Anteil der Ablehnungen, die richtig sind"),
    "abstention_recall": ("Ablehnen: Abdeckung", "Anteil der unbeantwortbaren Fragen, die abgelehnt werden"),
    "abstention_f1": ("Ablehnen: F1", "harmonisches Mittel aus beiden"),
    "abstention_right": (
        "Richtig entschieden",
        "Anteil der Fragen, die zu Recht beantwortet oder abgelehnt werden",
    ),
    "abstained": ("Abgelehnt", "Anteil der Fragen, die abgelehnt werden"),
    "seconds_first": ("Sekunden bis zum ersten Wort", "Mittel"),
    "seconds_total": ("Sekunden bis zur Antwort", "Mittel"),
    "prompt_tokens": ("Tokens gelesen", "Mittel je Antwort, wie vom Anbieter gemeldet"),
    "completion_tokens": ("Tokens geschrieben", "Mittel je Antwort, wie vom Anbieter gemeldet"),
    "cost": ("Kosten", "Mittel je Antwort, wie vom Anbieter gemeldet"),
    **_retrieval("article", "Artikel", _GERMAN_RETRIEVAL),
    **_retrieval("evidence", "Stelle", _GERMAN_RETRIEVAL),
}

ENGLISH: Mapping[str, Legend] = {
    "evidence_hit": ("Right place cited", "share of questions where a citation touches a right sentence"),
    "fact_recall": ("Facts said", "share of the expected facts that the answer says"),
    "forbidden_rate": ("Forbidden said", "share of answers that say what they must not"),
    "language_match": (
        "Language of the question",
        "share of answers in the question's language; verbatim quotes"
        " from articles in another language count as missed",
    ),
    "followup_success": (
        "Follow-ups right",
        "share of follow-up questions that are rightly answered or declined",
    ),
    "words": ("Words an answer", "mean length of answers that do not decline"),
    "citation_precision": (
        "Citation precision",
        "share of citations that their sentence needs (ALCE, arXiv 2305.14627)",
    ),
    "citation_recall": ("Citation recall", "share of sentences that their citations support together (ALCE)"),
    "quote_exact": (
        "Quotes exact",
        "share of answers whose quotes stand in the article character for character",
    ),
    "judge_faithfulness": (
        "Faithfulness (model)",
        "share of sentences that a language model finds supported by the passages",
    ),
    "abstention_precision": ("Declining: precision", "share of declined questions that are rightly declined"),
    "abstention_recall": ("Declining: recall", "share of unanswerable questions that are declined"),
    "abstention_f1": ("Declining: F1", "harmonic mean of the two"),
    "abstention_right": ("Rightly decided", "share of questions that are rightly answered or declined"),
    "abstained": ("Declined", "share of questions that are declined"),
    "seconds_first": ("Seconds to the first word", "mean"),
    "seconds_total": ("Seconds to the answer", "mean"),
    "prompt_tokens": ("Tokens read", "mean an answer, as the provider reports"),
    "completion_tokens": ("Tokens written", "mean an answer, as the provider reports"),
    "cost": ("Cost", "mean an answer, as the provider reports"),
    **_retrieval("article", "Article", _ENGLISH_RETRIEVAL),
    **_retrieval("evidence", "Place", _ENGLISH_RETRIEVAL),
}
