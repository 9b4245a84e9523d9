"""Protects the reading of e-mails, subtitles, OpenDocument, e-books, RTF and web pages saved as one file."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest

from ingest.readers import read_file
from ingest.readers.document import Reading
from rag.errors import ArticleError
from tests.test_readers import LIMIT, complaint, marked, write


def reading(folder: Path, name: str, content: str | bytes) -> Reading:
    return read_file(write(folder, name, content), limit_bytes=LIMIT)


def text_of(read: Reading) -> list[str]:
    (document,) = read.documents
    return document.text.split("\n\n")


def zipped(**files: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", ".", 1), content)
    return data.getvalue()


# --- e-mail ------------------------------------------------------------------------------------


def mail(body: str, **headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body, cte="quoted-printable")
    return message


def test_an_email_gives_its_text_with_subject_sender_and_day(tmp_path: Path) -> None:
    message = mail(
        "Die Schleuse bleibt bis Pfingsten geschlossen, schreibt das Amt.\n\n-- \nAmt, Zi. 3\n",
        Subject="Schleuse bleibt geschlossen – Öffnung später",
        From="Jörg Brandt <j.brandt@amt.test>",
        Date="Tue, 06 May 2025 09:00:00 +0200",
    )
    read = reading(tmp_path, "a.eml", message.as_bytes())
    (document,) = read.documents
    assert document.text == "Die Schleuse bleibt bis Pfingsten geschlossen, schreibt das Amt."
    assert (document.title, document.author, document.published) == (
        "Schleuse bleibt geschlossen – Öffnung später",
        "Jörg Brandt",
        date(2025, 5, 6),
    )


def test_a_day_that_no_article_has_is_not_taken_from_an_email(tmp_path: Path) -> None:
    message = (
        "Date: Fri, 31 Dec 9999 12:00:00 +0000\nFrom: a@b.example\n\nDer Rat tagt am Montag im Rathaus.\n"
    )
    read = reading(tmp_path, "a.eml", message.encode())
    assert [document.published for document in read.documents] == [None]


def test_attachments_of_an_email_are_named(tmp_path: Path) -> None:
    message = mail("Anbei der Plan für die Schleuse.", Subject="Plan", From="a@b.test")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="Plan Süd.pdf")
    read = reading(tmp_path, "a.eml", message.as_bytes())
    assert "Plan Süd.pdf" in read.problems[0]
    assert read.left_out == {"attachments": 1}


def test_an_email_with_a_web_page_only_gives_its_words(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "Rundbrief"
    message.set_content("<p>Der Chor singt im Dom.</p><p>Karten gibt es am Abend.</p>", subtype="html")
    assert text_of(reading(tmp_path, "a.eml", message.as_bytes())) == [
        "Der Chor singt im Dom.",
        "Karten gibt es am Abend.",
    ]


def test_what_is_no_email_is_refused(tmp_path: Path) -> None:
    assert "not an e-mail" in complaint(write(tmp_path, "a.eml", "\nNur ein Satz ohne Kopf."))
    empty = "Subject: Leer\nContent-Type: text/html; charset=utf-8\n\n   \n"
    assert "no text" in complaint(write(tmp_path, "b.eml", empty))


def test_a_page_saved_as_one_file_is_read_as_the_page(tmp_path: Path) -> None:
    page = "<html><body><article><h1>Der Dom</h1><p>Der Dom wird 800 Jahre alt.</p></article></body></html>"
    saved = EmailMessage()
    saved["From"] = "<Saved by Blink>"
    saved.set_content(page, subtype="html")
    saved.add_related(b"\x89PNG", maintype="image", subtype="png")
    read = reading(tmp_path, "a.mhtml", saved.as_bytes())
    assert text_of(read)[-1] == "Der Dom wird 800 Jahre alt."
    assert read.left_out == {"characters": 2, "pictures": 1}


# --- subtitles ---------------------------------------------------------------------------------

SRT = """1
00:00:01,000 --> 00:00:03,000
Der Tunnel unter der Elbe

2
00:00:03,100 --> 00:00:06,000
<i>wird bis 2027 gesperrt.</i>

3
00:00:12,000 --> 00:00:14,000
Danach fahren wieder Züge.
- Wie viele?
"""
VTT = """WEBVTT
Kind: captions

NOTE von Hand berichtigt

intro
00:01.000 --> 00:03.000 align:start
<v Anna Roth>Die Brücke ist fertig.

00:03.000 --> 00:05.000
Sie trägt &amp; hält.
"""


@pytest.mark.parametrize("name", ["a.srt", "a.txt"])
def test_cues_are_joined_to_sentences_without_their_times(tmp_path: Path, name: str) -> None:
    assert text_of(reading(tmp_path, name, SRT)) == [
        "Der Tunnel unter der Elbe wird bis 2027 gesperrt. Danach fahren wieder Züge.",
        "- Wie viele?",
    ]


def test_who_speaks_is_said_and_notes_of_the_file_are_not(tmp_path: Path) -> None:
    assert text_of(reading(tmp_path, "a.vtt", VTT)) == ["Anna Roth: Die Brücke ist fertig. Sie trägt & hält."]


@pytest.mark.parametrize(("name", "text"), [("a.srt", "kein srt"), ("a.vtt", "WEBVTT\n\nNOTE nichts")])
def test_subtitles_without_a_cue_are_refused(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(ArticleError, match="subtitles"):
        reading(tmp_path, name, text)


def test_a_text_that_mentions_times_is_no_subtitles(tmp_path: Path) -> None:
    text = "Der Zug fährt.\n00:10:00,000 --> 00:11:00,000\nSo steht es im Protokoll.\n"
    assert "00:10:00,000" in reading(tmp_path, "a.txt", text).documents[0].text


# --- OpenDocument, e-books, RTF ----------------------------------------------------------------

ODT = """<office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><office:body><office:text>
<text:tracked-changes><text:p>Gestrichen wurde dieser Satz.</text:p></text:tracked-changes>
<text:h text:outline-level="1">Das Museum</text:h>
<text:p>Das Museum<text:s/>öffnet.<text:note><text:note-citation>1</text:note-citation><text:note-body>
<text:p>Laut Stadt.</text:p></text:note-body></text:note><office:annotation><text:p>prüfen!</text:p>
</office:annotation> Der Eintritt ist frei.</text:p>
<table:table><table:table-row><table:table-cell><text:p>Mai</text:p></table:table-cell>
<table:table-cell><text:p>400</text:p></table:table-cell></table:table-row></table:table>
</office:text></office:body></office:document-content>"""


def test_an_opendocument_text_gives_paragraphs_tables_and_notes(tmp_path: Path) -> None:
    read = reading(tmp_path, "a.odt", zipped(content_xml=ODT))
    assert text_of(read) == [
        "Das Museum",
        "Das Museum öffnet.[1] Der Eintritt ist frei.",
        "Mai | 400",
        "[1] Laut Stadt.",
    ]
    assert marked(read.documents[0]) == [("title", "Das Museum")]
    assert (read.counts["notes"], read.left_out["comments"]) == (1, 1)


def test_an_ebook_is_read_chapter_after_chapter(tmp_path: Path) -> None:
    container = '<container><rootfiles><rootfile full-path="OEBPS/b.opf"/></rootfiles></container>'
    opf = """<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">
<metadata><dc:title>Die Insel</dc:title><dc:creator>Ida Moor</dc:creator></metadata>
<manifest><item id="n" href="n.xhtml" properties="nav"/><item id="b" href="b.xhtml"/>
<item id="a" href="a.xhtml"/>
</manifest><spine><itemref idref="n"/><itemref idref="a"/><itemref idref="b"/></spine></package>"""
    page = "<html><head><title>x</title></head><body><h1>{}</h1><p>{}</p></body></html>"
    data = zipped(
        **{
            "META-INF__container_xml": container,
            "OEBPS__b_opf": opf,
            "OEBPS__n_xhtml": page.format("Inhalt", "Anfang"),
            "OEBPS__a_xhtml": page.format("Eins", "Die Insel liegt im Westen."),
            "OEBPS__b_xhtml": page.format("Zwei", "Sie hat drei Dörfer."),
        }
    )
    read = reading(tmp_path, "a.epub", data)
    assert text_of(read) == ["Eins", "Die Insel liegt im Westen.", "Zwei", "Sie hat drei Dörfer."]
    assert (read.documents[0].title, read.documents[0].author) == ("Die Insel", "Ida Moor")


def test_rtf_gives_its_words_and_says_that_notes_are_left_out(tmp_path: Path) -> None:
    rtf = (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}Die K\'fcste w\u228?chst.{\footnote Laut Amt.}\par"
        rb" Das Watt auch.\par}"
    )
    read = reading(tmp_path, "a.rtf", rtf)
    assert text_of(read) == ["Die Küste wächst.", "Das Watt auch."]
    assert read.left_out["notes"] == 1


def test_rtf_gives_boxes_and_properties_and_no_deletions(tmp_path: Path) -> None:
    rtf = (
        rb"{\rtf1\ansi{\info{\title Der Kran am Hafen}{\author Ole Brandt}}"
        rb"{\shp{\*\shpinst{\sp{\sn name}{\sv Kasten}}{\shptxt Gebaut 1962.\par}}}"
        rb"Der Kran kostet {\deleted neun }elf Millionen.\par}"
    )
    (document,) = reading(tmp_path, "a.rtf", rtf).documents
    assert document.text.split("\n\n") == ["Gebaut 1962.", "Der Kran kostet elf Millionen."]
    assert (document.title, document.author) == ("Der Kran am Hafen", "Ole Brandt")


@pytest.mark.parametrize("name", ["a.odt", "a.epub", "a.docx"])
def test_an_archive_that_unpacks_to_far_more_is_refused_at_once(tmp_path: Path, name: str) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("content.xml", b"0" * 31_000_000)
    with pytest.raises(ArticleError, match="unpacks to 31 MB"):
        reading(tmp_path, name, data.getvalue())


@pytest.mark.parametrize("name", ["a.odt", "a.epub"])
def test_an_archive_of_something_else_is_refused_by_name(tmp_path: Path, name: str) -> None:
    assert "not a readable" in complaint(write(tmp_path, name, zipped(andere_xml="<a/>")))


# --- web pages ---------------------------------------------------------------------------------


def test_two_line_breaks_end_a_paragraph_and_one_does_not(tmp_path: Path) -> None:
    page = "<html><body><b>Der Markt</b><br><br>Er zieht um.<br>Im Mai.<br><br>Alle kommen.</body></html>"
    assert text_of(reading(tmp_path, "a.html", page)) == ["Der Markt", "Er zieht um. Im Mai.", "Alle kommen."]


def test_entries_of_a_ticker_are_paragraphs(tmp_path: Path) -> None:
    entry = "<div><time>{}</time><h3>{}</h3><p>{}</p></div>"
    entries = entry.format("9.10 Uhr", "Start", "Das Rennen beginnt.") + entry.format(
        "9.40 Uhr", "Sturz", "Ein Fahrer stürzt."
    )
    page = f"<html><body><article><h1>Radrennen</h1>{entries}</article></body></html>"
    assert "Das Rennen beginnt." in text_of(reading(tmp_path, "a.html", page))
    assert "Ein Fahrer stürzt." in text_of(reading(tmp_path, "a.html", page))


def test_an_article_stated_as_data_goes_before_an_offer_to_pay(tmp_path: Path) -> None:
    page = """<html><head><script type="application/ld+json">{"@graph": [{"@type": "NewsArticle",
"articleBody": "Die Oper bekommt ein neues Dach.\\nEs kostet 3 Millionen Euro."}]}</script></head><body>
<article><h1>Oper</h1><p>Die Oper bekommt …</p><div class="paywall"><p>8 Wochen für 2 Euro.</p></div>
</article></body></html>"""
    assert text_of(reading(tmp_path, "a.html", page))[-2:] == [
        "Die Oper bekommt ein neues Dach.",
        "Es kostet 3 Millionen Euro.",
    ]


def test_what_asks_for_consent_is_no_article(tmp_path: Path) -> None:
    asks = "<div id='cookie-consent'><p>Wir und 90 Partner speichern Daten auf Ihrem Gerät.</p></div>"
    page = f"<html><body>{asks}<main><h1>Fest</h1><p>Das Fest beginnt um acht.</p></main></body></html>"
    assert "Partner" not in reading(tmp_path, "a.html", page).documents[0].text


ARTICLE = """<html><body><nav><a href="/">Start</a></nav><main><h1>Der Kran</h1>
<p>Der Hafen der Stadt bekommt einen Kran, der 90 Tonnen hebt.<sup>1</sup> Er steht auf 40 m<sup>2</sup>.</p>
<p>Der Hafenmeister nannte am Montag vor dem Stadtrat zwei Gründe:</p>
<ol><li><p>Der alte rostet.</p></li><li>Die Schiffe wachsen.<a href="#top">↑</a></li></ol>
<ul><li><a href="/a">Neues vom Hafen</a></li><li><a href="/b">Alle Schiffe</a></li></ul>
<aside class="box"><h3>Zahlen</h3><span>Gewicht<div>700 Tonnen</div></span></aside>
<table><tr><td>Jahr<td>Kosten<td>Kräne</tr><tr><td>1962<td><td>2</tr></table>
<p>Der Stadtrat stimmt im Mai über den neuen Kran ab, sagte der Hafenmeister.</p>
<h2>Nachweise</h2><ol><li id="fn1">Laut Hafenamt.</li></ol></main><footer>Impressum</footer></body></html>"""


def test_what_stands_within_an_article_is_kept_and_lists_of_links_are_not(tmp_path: Path) -> None:
    assert text_of(reading(tmp_path, "a.html", ARTICLE)) == [
        "Der Kran",
        "Der Hafen der Stadt bekommt einen Kran, der 90 Tonnen hebt.[1] Er steht auf 40 m2.",
        "Der Hafenmeister nannte am Montag vor dem Stadtrat zwei Gründe:",
        "1. Der alte rostet.",
        "2. Die Schiffe wachsen.",
        "Zahlen",
        "Gewicht",
        "700 Tonnen",
        "Jahr | Kosten | Kräne",
        "1962 | | 2",
        "Der Stadtrat stimmt im Mai über den neuen Kran ab, sagte der Hafenmeister.",
        "Nachweise",
        "[1] Laut Hafenamt.",
    ]
