"""What is shown: HTML from `templates/`, and Markdown, in both of which foreign text stays text.

Article text, model text and questions are foreign: nothing in them may become active. Templates escape what
is filled in; in Markdown every character that could start something is written as an entity.
"""

import re
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rag.i18n import Words
from rag.serve.links import asset, citation_path, dossiers, label, link, origin

WORD_JOINER = "\u2060"  # keeps a chip on the line of the word before it

_ACTIVE = re.compile(r"^[-+=\d]|[&<>\"\\`*_\[\]|~$#%:@]|(?<=www)\.", re.IGNORECASE)


def markdown_text(text: str) -> str:
    """One line of Markdown that shows exactly these words and does nothing.

    >>> markdown_text("1. <b>www.taz.de</b>")
    '&#49;. &#60;b&#62;www&#46;taz.de&#60;/b&#62;'
    """
    return _ACTIVE.sub(lambda match: f"&#{ord(match[0])};", " ".join(text.split()))


def shortened(text: str, length: int) -> str:
    """The beginning of a passage, cut between words."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[:length].rsplit(" ", 1)[0].rstrip(" ,;:–") + " …"


def environment(folder: Path) -> Environment:
    """The templates of a folder; values are escaped, and a missing value is an error."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


_TEMPLATES = environment(Path(__file__).parent / "templates")
_TEMPLATES.globals |= {
    **{"asset": asset, "link": link, "dossiers": dossiers, "shortened": shortened},
    **{"place": citation_path, "source": label, "origin": origin},
}


def page(template: str, words: Words, **values: object) -> str:
    """A template filled in: a page, or the part of one that a script replaces."""
    return _TEMPLATES.get_template(template).render(words=words, **values)


def missing_page(words: Words, what: Literal["reader", "answer"] = "reader") -> str:
    """The page for an article or answer that does not exist."""
    title, text = words(f"{what}.missing_title"), words(f"{what}.missing_text")
    return page("missing.html", words, title=title, text=text, command=None)


def fragment(name: str, words: Words, **values: object) -> str:
    """A macro of `chat.html` filled in, for the Markdown of the chat.

    It is one line, for a blank one would end the HTML in Markdown. Percent signs are escaped too:
    Gradio's placeholders for formulas are made of them.
    """
    macros = _TEMPLATES.get_template("chat.html").make_module({"words": words})
    made = str(getattr(macros, name)(**values))
    return " ".join(made.split()).replace("> <", "><").replace("%", "&#37;")
