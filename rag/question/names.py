"""The places that articles name most, recognised by how names are used, without a list of names."""

import re
from collections import Counter
from collections.abc import Sequence

from rag.text.figures import MONTHS
from rag.text.languages import STOP

_NAME = r"([A-ZÄÖÜÀ-Ý][\w’'-]+[\w])"
_ANY = re.compile(_NAME)
_IN = re.compile(rf"\b(?:[Ii]n|à|[Ee]m) {_NAME}")
_WITH_ARTICLE = re.compile(
    rf"\b(?:d(?:er|ie|as|en|em|es)|\w*ein(?:e[nmrs]?)?|the|an?|l[ae]|les|[oa]s?|uma?) {_NAME}"
)
_NOUN = re.compile(r"(?:ung|heit|keit|schaft|tion|tät)(?:en)?$")
_LEAST, _IN_THERE, _WITH_ONE = 2, 0.2, 0.2


def places(texts: Sequence[str], n: int = 5) -> list[str]:
    """Names after „in“ that rarely come with an article, most frequent first.

    >>> places(["Sie trafen sich in Riad. In der Stadt, in Riad, war es heiß, in Wahrheit kühl."])
    ['Riad']
    """
    said, there, determined = (
        Counter(word for text in texts for word in pattern.findall(text))
        for pattern in (_ANY, _IN, _WITH_ARTICLE)
    )
    words = frozenset(MONTHS).union(*STOP.values())
    found = [
        name
        for name, count in there.items()
        if count >= max(_LEAST, _IN_THERE * said[name])
        and determined[name] <= _WITH_ONE * said[name]
        and name.lower() not in words
        and not _NOUN.search(name.lower())
        and not (name.endswith("s") and said[name[:-1]] > said[name])  # a genitive
    ]
    return sorted(found, key=lambda name: (-said[name], name))[:n]
