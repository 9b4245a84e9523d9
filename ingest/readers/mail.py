"""E-mails (.eml), and web pages that a browser saved as one file (.mhtml)."""

import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart

from ingest.readers.document import Block, Document, Reading, compose, decode, squeeze
from ingest.readers.html import blocks_of, page_tree, read_html
from rag.errors import ArticleError
from rag.i18n import Phrase
from rag.text.normalize import normalise

_MOST_NAMES = 20  # of attachments, in a message
_SIGNATURE = re.compile(r"^-- ?\n(?=(?:[^\n]*\n?){1,12}\Z)", re.MULTILINE)


def read_mail(data: bytes) -> Reading:
    """The message; its subject is the title, its sender the author. Attachments are named and left out."""
    mail = _parsed(data)
    body = mail.get_body(("plain", "html"))
    text = normalise(decode(_bytes(body), body.get_content_charset())) if body else ""
    if body is None or not text.strip():
        raise ArticleError("no_text")
    if body.get_content_subtype() == "html":
        blocks = list(blocks_of(page_tree(text)))
    else:
        text = _SIGNATURE.split(text)[0]
        if body.get_param("format") == "flowed":  # then wrapped lines end with a space
            text = re.sub(r"(?<=\S) \n(?=\S)", " ", text)
        blocks = [Block(part) for part in re.split(r"\n[ \t]*\n", text)]
    moment = getattr(mail["date"], "datetime", None)
    senders = getattr(mail["from"], "addresses", ())
    authors = [squeeze(normalise(each.display_name)) for each in senders if each.display_name]
    document = Document(
        "",
        title=squeeze(normalise(str(mail["subject"] or ""))) or None,
        author=", ".join(authors) or None,
        published=moment.date() if moment and 1800 <= moment.year <= 2100 else None,
        structured=True,
    )
    attached = (part.get_filename() or part.get_content_type() for part in mail.iter_attachments())
    names = [squeeze(normalise(name)) for name in attached]
    told = ", ".join(names[:_MOST_NAMES]) + ", …" * (len(names) > _MOST_NAMES)
    problems = (Phrase("attachments_left", names=told),) if names else ()
    return Reading((compose(blocks, document),), problems, left_out={"attachments": len(names)})


def read_mhtml(data: bytes) -> Reading:
    """The page in the file; what belongs to it, pictures and styles, is left out."""
    mail = _parsed(data)
    pages = [part for part in mail.walk() if part.get_content_type() == "text/html"]
    if not pages:
        raise ArticleError("no_web_page")
    reading = read_html(_bytes(pages[0]), pages[0].get_content_charset())
    pictures = sum(part.get_content_maintype() == "image" for part in mail.walk())
    return replace(reading, left_out={**reading.left_out, "pictures": pictures})


def _parsed(data: bytes) -> EmailMessage:
    mail = message_from_bytes(data, policy=policy.default)
    if not mail.keys():
        raise ArticleError("no_mail")
    return mail


def _bytes(part: MIMEPart) -> bytes:
    held = part.get_payload(decode=True)
    return held if isinstance(held, bytes) else b""
