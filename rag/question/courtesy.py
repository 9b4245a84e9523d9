"""The words of which greetings, thanks, apologies and polite frames are made, by language.

A clause is courtesy if all its words are of this list and one is a head. So combinations need no entry of
their own: "Hätten Sie vielleicht kurz Zeit, mir zu sagen, …". Neither names of topics nor the words by
which a question asks are on it, nor third persons: "Sagte er, …" is content.
"""

from __future__ import annotations

from dataclasses import dataclass

from rag.text.languages import LANGUAGES, word_set


@dataclass(frozen=True, slots=True)
class Courtesy:
    """A language's courtesy: `words` are all that it is made of, `heads` those that tell it."""

    heads: frozenset[str]
    words: frozenset[str]


def _courtesy(language: str) -> Courtesy:
    heads = word_set("courtesy.heads", language) | INTERNATIONAL
    return Courtesy(heads, heads | word_set("courtesy.others", language))


INTERNATIONAL = frozenset("hi hello hey hallo ok okay danke thanks thx ty merci sorry pardon please".split())
COURTESIES = {language: _courtesy(language) for language in LANGUAGES}
EVERY_WORD = frozenset().union(*(courtesy.words for courtesy in COURTESIES.values()))

GREETINGS = word_set("courtesy.greetings")
SIGN_OFFS = word_set("courtesy.sign_offs")
BEFORE_SIGN_OFFS = word_set("courtesy.before")
OPENS_A_SENTENCE = word_set("courtesy.opens")
"""No nouns and no address: with a capital, they begin a sentence."""
PLEASE = word_set("courtesy.please")
ADVERSATIVES = word_set("courtesy.adversatives")
ASKING = word_set("courtesy.asking")
"""Words by which a question begins that a frame leads to without a comma."""
PREPOSITIONS = word_set("courtesy.prepositions")
SPEAKERS = word_set("courtesy.speakers")
"""Whoever asks and whoever is asked: no article of the dossier is about them."""
ADDRESS = word_set("courtesy.address")
