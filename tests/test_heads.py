"""Protects what articles state of themselves: outlet, author, day and genre are read in each language."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from ingest.readers.document import Document
from ingest.readers.html import read_html
from ingest.readers.markdown import read_markdown
from ingest.structure.article import answerable, article_from
from rag.schema import Article

BODIES = {
    "de": "Der Rat der Stadt hat am Abend den Bau der neuen Brücke beschlossen. Das kostet sie viel Geld.",
    "en": "The council of the town decided to build the new bridge on Monday. It will cost a lot of money.",
    "fr": "Le conseil de la ville a décidé lundi soir de construire le nouveau pont. Cela coûtera très cher.",
    "pt": "A câmara da cidade decidiu na segunda-feira construir a nova ponte sobre o rio. Vai custar muito.",
    "uk": "Міська рада вирішила в понеділок збудувати новий міст через річку. Це коштуватиме дуже дорого.",
}
TITLES = {
    "de": "Neue Brücke kommt",
    "en": "New bridge is coming",
    "fr": "Un nouveau pont arrive",
    "pt": "Nova ponte vai avançar",
    "uk": "Новий міст збудують",
}
DAY = date(2025, 4, 3)
Stated = tuple[str | None, str | None, date | None]


def article(language: str, *lines: str, foot: str = "", title: str | None = None) -> Article:
    text = "\n\n".join([title or TITLES[language], *lines, BODIES[language], foot]).strip()
    return article_from(Document(text), "a", "a.txt")


def stated(found: Article) -> Stated:
    return found.outlet, found.author, found.published


def left(found: Article) -> str:
    return "\n".join(found.text[start:end] for start, end in answerable(found.text, found.asides))


HEADS: list[tuple[str, str, Stated]] = [
    # one line with all of it, parted by commas, dashes and bars
    ("de", "Neustädter Anzeiger, 3. April 2025, von Rita Wald", ("Neustädter Anzeiger", "Rita Wald", DAY)),
    ("en", "By Ann Kemp, Political Editor – The Herald, 3 April 2025", ("The Herald", "Ann Kemp", DAY)),
    ("fr", "Par Zoé Élan, physicienne – La Gazette, 3 avril 2025", ("La Gazette", "Zoé Élan", DAY)),
    ("fr", "Le Monde avec AFP | jeudi 3 avril 2025", ("Le Monde", None, DAY)),
    ("fr", "Par Zoé Élan et Jean d’Aubert (AFP), le 3 avril 2025", ("AFP", "Zoé Élan, Jean d’Aubert", DAY)),
    ("pt", "Ana Conceição e Rui Vale / Lusa, 3 de abril de 2025", ("Lusa", "Ana Conceição, Rui Vale", DAY)),
    ("pt", "Jornal «A Voz», quinta-feira, 3 de abril de 2025", ("A Voz", None, DAY)),
    ("pt", "Por Redação, g1, 03/04/2025 14h05", ("G1", None, DAY)),
    ("uk", "Газета «Наш край», 3 квітня 2025 року. Автор: Ігор Лис", ("Наш край", "Ігор Лис", DAY)),
    ("uk", "Ірина Їжак, Олег Ґуля – Голос, 3 квітня 2025", ("Голос", "Ірина Їжак, Олег Ґуля", DAY)),
    ("de", "Rheintal-Kurier – 3. April 2025 – Von Rita Wald", ("Rheintal-Kurier", "Rita Wald", DAY)),
    ("fr", "L'Écho du Stade – Publié le 3 avril 2025 à 10h12", ("L'Écho du Stade", None, DAY)),
    # for whom, and with whose reports
    ("de", "Rita Wald für den »Neustädter Anzeiger«, 3.4.2025", ("Neustädter Anzeiger", "Rita Wald", DAY)),
    ("en", "Ann Kemp for The Herald, 3 April 2025", ("The Herald", "Ann Kemp", DAY)),
    ("fr", "Zoé Élan, avec l'AFP, le 3 avril 2025", (None, "Zoé Élan", DAY)),
    ("pt", "Ana Conceição com Lusa, 3 de abril de 2025", (None, "Ana Conceição", DAY)),
    ("uk", "Ігор Лис, лікар, для «Нашого краю», 3 квітня 2025", (None, "Ігор Лис", DAY)),
    # who signs
    ("de", "Text und Fotos: Rita Wald", (None, "Rita Wald", None)),
    ("de", "Von unserem Korrespondenten", (None, None, None)),
    ("en", "By our own correspondent in Kyiv", (None, None, None)),
    ("en", "Written by Ann Kemp", (None, "Ann Kemp", None)),
    ("fr", "De notre correspondant à Berlin", (None, None, None)),
    ("de", "Von unserer Redakteurin Rita Wald", (None, "Rita Wald", None)),
    ("de", "Von Rita Wald (Text) und Ute Hoff (Fotos)", (None, "Rita Wald", None)),
    ("de", "Von Rita Wald, Leiterin der Lokalredaktion", (None, "Rita Wald", None)),
    ("fr", "De notre envoyée spéciale à Kiev, Zoé Élan", (None, "Zoé Élan", None)),
    ("fr", "Propos recueillis par Zoé Élan", (None, "Zoé Élan", None)),
    ("pt", "Da redação", (None, None, None)),
    ("pt", "Da Redação, em São Paulo", (None, None, None)),
    ("pt", "Por Ana Conceição, em Lisboa", (None, "Ana Conceição", None)),
    ("uk", "Текст: Ірина Їжак. Фото: Олег Ґуля", (None, "Ірина Їжак", None)),
    ("uk", "Спеціально для «Українського тижня»", (None, None, None)),
    ("uk", "Підготувала Ірина Їжак", (None, "Ірина Їжак", None)),
    # of what the day is
    ("de", "Zuletzt aktualisiert: 3. April 2025, 14:05 Uhr", (None, None, DAY)),
    ("en", "Last updated on 3 April 2025 at 10.15am", (None, None, DAY)),
    ("fr", "Mis à jour le 3 avril 2025 à 14h05", (None, None, DAY)),
    ("fr", "Publié le 03/04/2025 à 14:05 - Mis à jour le 04/04/2025 à 9h", (None, None, DAY)),
    ("fr", "Publié par Zoé Élan le 3 avril 2025", (None, "Zoé Élan", DAY)),
    ("pt", "Publicado em 3 de abril de 2025 às 14h05", (None, None, DAY)),
    ("pt", "Atualizado em 3 de abril de 2025, 14h05", (None, None, DAY)),
    ("uk", "Опубліковано 3 квітня 2025 року о 14:05", (None, None, DAY)),
    ("uk", "оновлено 3 квітня 2025, 14:05", (None, None, DAY)),
    # agencies, and places whose names begin like people
    ("pt", "LUSA, 3 de abril de 2025", ("Lusa", None, DAY)),
    ("uk", "Укрінформ, 3 квітня 2025 року", ("Укрінформ", None, DAY)),
    ("fr", "Le Havre, le 3 avril 2025", (None, None, DAY)),
    ("pt", "Vila Nova de Gaia, 3 de abril de 2025", (None, None, DAY)),
]


@pytest.mark.parametrize(("language", "line", "facts"), HEADS, ids=[line for _, line, _ in HEADS])
def test_what_a_line_below_the_title_states_is_read_and_no_answer(
    language: str, line: str, facts: Stated
) -> None:
    found = article(language, line)
    assert stated(found) == facts
    assert (found.title, found.language) == (TITLES[language], language)
    assert left(found) == BODIES[language]


@pytest.mark.parametrize(("language", "line", "facts"), HEADS, ids=[line for _, line, _ in HEADS])
def test_it_is_read_below_the_text_too_unless_it_may_be_anything(
    language: str, line: str, facts: Stated
) -> None:
    found = article(language, foot=line)
    may_be_anything = line.startswith(("Le Havre", "Vila Nova"))
    assert stated(found) == ((None, None, None) if may_be_anything else facts)


@pytest.mark.parametrize(
    ("language", "lines", "facts"),
    [
        ("pt", ["Jornal do Vale", "Ana Conceição", "3/4/2025"], ("Jornal do Vale", "Ana Conceição", DAY)),
        ("fr", ["3 avril 2025", "Zoé Élan"], (None, "Zoé Élan", DAY)),
        ("fr", ["Par Zoé Élan (Bureau européen)", "Publié le 3 avril 2025"], (None, "Zoé Élan", DAY)),
        ("en", ["Ann Kemp", "Local democracy reporter", "3 April 2025"], (None, "Ann Kemp", DAY)),
        ("uk", ["Українська правда", "Автор: Ігор Лис"], ("Українська правда", "Ігор Лис", None)),
        ("de", ["Rita Wald", "Rheintal-Kurier", "3. April 2025"], ("Rheintal-Kurier", "Rita Wald", DAY)),
    ],
)  # fmt: skip
def test_names_alone_next_to_a_byline_belong_to_it(language: str, lines: list[str], facts: Stated) -> None:
    found = article(language, *lines)
    assert stated(found) == facts
    assert left(found) == BODIES[language]


@pytest.mark.parametrize(
    ("language", "above", "below", "facts"),
    [
        ("de", ["Neustädter Anzeiger"], ["Von Rita Wald"], ("Neustädter Anzeiger", "Rita Wald", None)),
        ("de", ["Talbote"], ["Von Rita Wald", "3. April 2025"], ("Talbote", "Rita Wald", DAY)),
        ("en", ["THE HERALD", "3 April 2025"], ["By Ann Kemp"], ("THE HERALD", "Ann Kemp", DAY)),
        ("fr", ["Le Courrier", "3 avril 2025"], ["Par Zoé Élan"], ("Le Courrier", "Zoé Élan", DAY)),
        ("pt", ["Jornal do Vale"], ["Por Ana Vale"], ("Jornal do Vale", "Ana Vale", None)),
        ("uk", ["Крайові вісті"], ["Автор: Ігор Лис"], ("Крайові вісті", "Ігор Лис", None)),
    ],
)  # fmt: skip
def test_a_newspaper_above_the_title_is_the_outlet(
    language: str, above: list[str], below: list[str], facts: Stated
) -> None:
    lines = "\n\n".join([*above, TITLES[language], *below, BODIES[language]])
    found = article_from(Document(lines), "a", "a.txt")
    assert (found.title, *stated(found)) == (TITLES[language], *facts)
    assert left(found) == BODIES[language]


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("de", "Die Abendzeitung schließt"),
        ("de", "Welt"),
        ("fr", "La presse en deuil"),
        ("pt", "Jornal fecha portas"),
        ("uk", "Газета про наш край"),
    ],
)
def test_a_title_with_a_word_for_a_newspaper_is_no_outlet(language: str, title: str) -> None:
    for lines in ([], [TITLES[language]]):
        assert article(language, *lines, "3.4.2025", title=title).outlet is None


def test_a_sentence_that_names_a_newspaper_and_its_day_stays() -> None:
    line = "The Herald, 3 April 2025, called it a scandal."
    assert line in left(article("en", foot=line))


@pytest.mark.parametrize("mark", ["  \n", "\n"])
def test_lines_of_a_head_in_one_paragraph_are_read_one_by_one(mark: str) -> None:
    head = f"**By Ann Kemp, Business Reporter**{mark}*The Herald | Thursday 3 April 2025*"
    (document,) = read_markdown(f"# New bridge\n\n{head}\n\n{BODIES['en']}\n".encode()).documents
    found = article_from(document, "a", "a.md")
    assert (stated(found), left(found)) == (("The Herald", "Ann Kemp", DAY), BODIES["en"])


def test_a_wrapped_sentence_stays_one_paragraph() -> None:
    text = "The council\nDecided on Monday\nto build a bridge, and\nThe town pays for it."
    (document,) = read_markdown(text.encode()).documents
    assert document.text == text.replace("\n", " ")


def test_a_newspaper_may_stand_above_the_heading() -> None:
    text = f"**The Herald**\n\n# New bridge\n\nBy Ann Kemp, 3 April 2025\n\n{BODIES['en']}\n"
    (document,) = read_markdown(text.encode()).documents
    found = article_from(document, "a", "a.md")
    assert (found.title, *stated(found)) == ("New bridge", "The Herald", "Ann Kemp", DAY)


@pytest.mark.parametrize(
    ("window", "foot", "outlet"),
    [
        ("New bridge - The Herald", "© The Herald", "The Herald"),
        ("New bridge | World | The Herald", "The Herald, all rights", "The Herald"),
        ("New bridge | World", "World", None),
        ("New bridge | World | Kestrel Daily", "", "Kestrel Daily"),
        ("New bridge – part two", "", None),
    ],
)
def test_the_title_of_a_window_names_the_newspaper(window: str, foot: str, outlet: str | None) -> None:
    body = f"<h1>New bridge</h1><p>{BODIES['en']}</p><p>{BODIES['en']}</p>"
    page = f"<title>{window}</title><body><article>{body}</article><footer>{foot}</footer></body>"
    (document,) = read_html(page.encode()).documents
    assert document.outlet == outlet


def test_a_name_that_nothing_signs_or_dates_is_no_author() -> None:
    assert article("pt", "Ana Conceição").author is None
    assert article("fr", "La Gazette du soir").outlet is None


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("fr", "Séance extraordinaire du conseil – 3 avril 2025"),
        ("pt", "Reunião da assembleia municipal, 3 de abril de 2025"),
        ("uk", "Засідання міської ради, 3 квітня 2025"),
    ],
)
def test_a_dated_line_that_is_not_understood_is_set_aside_and_states_nothing(
    language: str, line: str
) -> None:
    found = article(language, line)
    assert (stated(found), left(found)) == ((None, None, None), BODIES[language])


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("de", "Anmeldeschluss: 3. April 2025"),
        ("de", "Der Rat tagt am 3. April 2025."),
        ("fr", "Publié le 3 avril 2025, le rapport accuse la ville."),
        ("fr", "Par ici la sortie, disent les voisins du pont."),
        ("fr", "Salle des fêtes, 3 avril 2025"),
        ("pt", "Por Portugal e pela ponte, dizem todos os vizinhos."),
        ("pt", "Prazo de inscrição: 3 de abril de 2025"),
        ("uk", "Записатися можна до 3 квітня 2025 року."),
    ],
)
def test_text_that_begins_like_a_byline_or_has_a_day_stays(language: str, line: str) -> None:
    found = article_from(Document(f"{BODIES[language]}\n\n{line}", structured=True), "a", "a.txt")
    assert (stated(found), found.asides) == ((None, None, None), ())


@pytest.mark.parametrize(
    "line",
    [
        "Zoé Élan, née le 12 avril 1938",
        "Ana Vale, falecida em 3 de abril de 2025",
        "Ігор Лис, нар. 3 квітня 1938",
    ],
)
def test_a_day_of_a_life_is_no_byline(line: str) -> None:
    assert stated(article("fr", line)) == (None, None, None)


@pytest.mark.parametrize(
    ("fields", "language"),
    [
        ("titre: Un pont\nauteur: Zoé Élan\njournal: La Gazette\ndate: 03/04/2025\nlangue: français", "fr"),
        (
            "título: Um pont\nautora: Zoé Élan\nfonte: La Gazette\ndata: 3/4/2025\nidioma: Português",
            "pt",
        ),
        (
            "заголовок: Міст\nавтор: Zoé Élan\nвидання: La Gazette\nдата: 3 квітня 2025\nмова: українська",
            "uk",
        ),
    ],
)
def test_front_matter_may_be_in_each_language(fields: str, language: str) -> None:
    (document,) = read_markdown(f"---\n{fields}\n---\n\n{BODIES[language]}\n".encode()).documents
    found = article_from(document, "a", "a.md")
    assert (*stated(found), found.language) == ("La Gazette", "Zoé Élan", DAY, language)
    assert found.title


def test_events_in_other_languages_are_no_bylines() -> None:
    found = article("pt", "3 de abril de 2025, Casa da Música", "5 de abril de 2025, Teatro Novo")
    assert (stated(found), "Teatro Novo" in left(found)) == ((None, None, None), True)


@pytest.mark.parametrize(
    ("language", "line"), [("de", "Russische Presse feiert Brücke"), ("en", "Press hails new bridge")]
)
def test_a_headline_about_a_newspaper_is_none(language: str, line: str) -> None:
    assert article(language, line, "3 April 2025").outlet is None


@pytest.mark.parametrize("name", ["Emily Post", "Maria Correio"])
def test_a_person_called_like_a_newspaper_is_no_outlet(name: str) -> None:
    assert article("en", f"By {name}").outlet is None


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("de", "Kommentar: Baut die Brücke"),
        ("en", "Opinion: Build the bridge"),
        ("en", "Build the bridge – Editorial"),
        ("fr", "Tribune : fermer le pont serait une faute"),
        ("fr", "Éditorial | Un pont trop loin"),
        ("pt", "Opinião: A culpa não é da chuva"),
        ("uk", "Колонка: Міст потрібен, але не такий"),
        ("uk", "Точка зору: міст нічого не змінить"),
    ],
)
def test_a_rubric_in_the_title_makes_a_comment(language: str, title: str) -> None:
    assert article(language, title=title).genre == "comment"


@pytest.mark.parametrize(
    "title", ["Tribune des arbitres vendue aux enchères", "Opinião pública dividida", "Думка народу про міст"]
)
def test_a_rubric_s_word_within_the_title_makes_none(title: str) -> None:
    assert article("fr", title=title).genre is None


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("de", "Ein Gastbeitrag von Rita Wald"),
        ("fr", "Tribune par Zoé Élan, physicienne"),
        ("pt", "Opinião por Ana Conceição, professora na Universidade de Coimbra"),
    ],
)
def test_a_rubric_before_an_author_makes_a_comment(language: str, line: str) -> None:
    found = article(language, line)
    assert (found.genre, left(found)) == ("comment", BODIES[language])
    assert found.author in line


def test_datelines_of_agencies_are_set_aside_in_each_language() -> None:
    for language, line, outlet in [
        ("pt", "Lisboa, 3 abr 2025 (Lusa) –", "Lusa"),
        ("fr", "PARIS, 3 avril 2025 (AFP) -", "AFP"),
        ("uk", "Київ (Укрінформ) –", "Укрінформ"),
    ]:
        found = article_from(Document(f"{line} {BODIES[language]}"), "a", "a.txt")
        assert (found.outlet, left(found)) == (outlet, BODIES[language])


@pytest.mark.parametrize(
    "credit", ["Photo : Zoé Élan", "Foto: Ana Conceição/Lusa", "Фото: Укрінформ", "Crédit photo : AFP"]
)
def test_credits_of_pictures_are_no_answers(credit: str) -> None:
    found = article_from(Document(f"{BODIES['fr']}\n\n{credit}\n\n{BODIES['pt']}"), "a", "a.txt")
    assert left(found) == f"{BODIES['fr']}\n{BODIES['pt']}"


@pytest.mark.parametrize(
    "note",
    ["Lire aussi : le pont de trop", "Leia também: A ponte", "Читайте також: Міст", "Continua na página 12"],
)
def test_what_sends_readers_elsewhere_is_no_answer(note: str) -> None:
    assert note not in left(article_from(Document(f"{BODIES['fr']}\n\n{note}"), "a", "a.txt"))


def test_an_emphasised_line_below_a_heading_is_a_byline() -> None:
    body = f"# Neue Brücke\n\n*Neustädter Anzeiger, 3. April 2025, von Rita Wald*\n\n{BODIES['de']}\n"
    (document,) = read_markdown(body.encode()).documents
    found = article_from(document, "a", "a.md")
    assert (found.title, *stated(found)) == ("Neue Brücke", "Neustädter Anzeiger", "Rita Wald", DAY)
    assert left(found) == BODIES["de"]


def test_a_day_in_figures_is_certain_where_no_language_names_the_month_first() -> None:
    document = Document(f"Data: 03/04/2025\n\n{BODIES['pt']}")
    assert article_from(document, "a", "a.txt").published == DAY
    assert article_from(replace(document, language="en"), "a", "a.txt").published is None


@pytest.mark.parametrize(
    ("language", "above", "below", "facts"),
    [
        ("de", ["TALBOTE", "Do, 3. April 2025, Seite 3"], ["Rat stimmt zu", "Rita Wald"], "Rita Wald"),
        ("de", ["Tal und Höh, 3. April 2025, Nr. 79, S. 4/5"], ["Interview: Rita Wald"], "Rita Wald"),
        ("en", ["THE KELP • 3 APRIL 2025 • FRONT PAGE"], ["By Ann Kemp, Crime Editor"], "Ann Kemp"),
        ("en", ["THE KELP", "3 April 2025 | The Big Interview"], ["A big day", "Ann Kemp"], "Ann Kemp"),
        ("fr", ["LES CIMES – 3 avril 2025 – page 4", "CULTURE"], ["Zoé Élan"], "Zoé Élan"),
        ("fr", ["MONTS ET VAUX", "3 avril 2025", "ENTRETIEN"], ["Entretien mené par Zoé Élan"], "Zoé Élan"),
        ("pt", ["O FAROL — 3 DE ABRIL DE 2025 — PRIMEIRA PÁGINA"], ["Ana Vale e Rui Sá"], "Ana Vale, Rui Sá"),
        ("pt", ["O Farol | 3 de abril de 2025 | Cidade | pág. 8"], ["Entrevista de Ana Vale"], "Ana Vale"),
        ("uk", ["Новий Поділ / 3 квітня 2025 р. / стор. 2"], ["Ігор Лис, урбаніст"], "Ігор Лис"),
        ("uk", ["«Новий Поділ» | 3 квітня 2025 | Інтерв’ю"], ["Розмовляв Ігор Лис"], "Ігор Лис"),
        ("uk", ["ПОДІЛ", "3 квітня 2025, четвер", "Місто"], ["Рада за міст", "Ігор Лис"], "Ігор Лис"),
    ],
)  # fmt: skip
def test_section_and_page_are_neither_newspaper_nor_title_nor_author(
    language: str, above: list[str], below: list[str], facts: str
) -> None:
    lines = "\n\n".join([*above, TITLES[language], *below, BODIES[language]])
    found = article_from(Document(lines), "a", "a.txt")
    outlet = re.split(r"\s[•–—|/]|,", above[0])[0].strip("«»")
    assert (found.title, *stated(found)) == (TITLES[language], outlet, facts, DAY)
    assert left(found) == BODIES[language]


@pytest.mark.parametrize(
    ("language", "lines", "title"),
    [
        ("de", ["DIE BRÜCKE KOMMT", "3. April 2025", "Rat stimmt zu"], "DIE BRÜCKE KOMMT"),
        ("de", ["Interview: Rita Wald", "Die Baumeisterin über Brücken"], "Interview: Rita Wald"),
        ("de", ["Bilder: Die schönsten Brücken", "Von Ute Hoff"], "Bilder: Die schönsten Brücken"),
        ("fr", ["« Le pont » et nous", "Par Zoé Élan, 3 avril 2025"], "« Le pont » et nous"),
        ("en", ["BREAKING NEWS", "3 April 2025", "A bridge at last", "Vote today"], "A bridge at last"),
    ],
)  # fmt: skip
def test_a_title_that_looks_like_another_line_of_a_head_is_one(
    language: str, lines: list[str], title: str
) -> None:
    found = article_from(Document("\n\n".join([*lines, BODIES[language]])), "a", "a.txt")
    assert (found.title, found.outlet) == (title, None)


def test_a_rubric_beside_newspaper_and_day_makes_a_comment() -> None:
    for language, line in [
        ("en", "The Herald, Comment, 3 April 2025"),
        ("fr", "TRIBUNE | La Gazette, 3 avril 2025"),
        ("uk", "ПОГЛЯД | Газета «Наш край», 3 квітня 2025 р."),
    ]:
        found = article(language, line)
        assert (found.genre, found.published, found.outlet != "TRIBUNE") == ("comment", DAY, True)


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("de", "Lesezeit: 4 Min."),
        ("de", "Aktualisiert um 17.45 Uhr"),
        ("en", "Home › News › Bridges"),
        ("en", "3 min read"),
        ("fr", "Temps de lecture : 3 min"),
        ("pt", "Página 7"),
        ("uk", "Час читання: 4 хв"),
    ],
)
def test_what_stands_around_an_article_is_no_answer(language: str, line: str) -> None:
    for lines in ([line, TITLES[language]], [TITLES[language], line], [TITLES[language], BODIES["pt"], line]):
        found = article_from(Document("\n\n".join([*lines, BODIES[language]])), "a", "a.txt")
        assert (found.title, line in left(found)) == (TITLES[language], False)


@pytest.mark.parametrize(
    ("language", "about"),
    [
        ("de", "Rita Wald leitet das Amt für Brücken."),
        ("en", "The author was chief planner of bridges until 2016."),
        ("en", "Builder, she has run the bridge office since 2013."),
        ("fr", "Comédienne, elle a dirigé le théâtre de 1996 à 2009."),
        ("pt", "Economista, professora na Universidade de Évora"),
    ],
)
def test_who_the_author_is_is_no_answer(language: str, about: str) -> None:
    body = f"# {TITLES[language]}\n\n**Rita Wald**\n*{about}*\n\n{BODIES[language]}\n"
    (document,) = read_markdown(body.encode()).documents
    found = article_from(document, "a", "a.md")
    assert (found.author, left(found)) == ("Rita Wald", BODIES[language])


def test_a_lower_heading_is_the_title_if_a_byline_is_below_it() -> None:
    for mark in ("## ", "> ## "):
        body = f"{mark}Die Brücke kommt\n\nVon Rita Wald, Leiterin der Lokalredaktion\n\n{BODIES['de']}\n"
        (document,) = read_markdown(body.encode()).documents
        found = article_from(document, "a", "a.md")
        assert (found.title, found.author) == ("Die Brücke kommt", "Rita Wald")


def page(language: str, window: str, headline: str, *lines: str) -> Article:
    body = "".join(f"<p>{line}</p>" for line in (*lines, BODIES[language], BODIES[language]))
    html = f"<html lang={language}><title>{window}</title><body><article><h1>{headline}</h1>{body}</article>"
    (document,) = read_html(f"{html}<footer>© Talbote</footer></body></html>".encode()).documents
    return article_from(document, "a", "a.html")


@pytest.mark.parametrize(
    ("window", "outlet"),
    [
        ("Bridge for £1.2m soon – The Kelp Courier", "The Kelp Courier"),
        ("Talbote | Bridge for £1.2m is coming", "Talbote"),
        ("Watch | Bridge for £1.2m is coming", None),
    ],
)
def test_the_newspaper_is_found_on_either_side_of_a_window_s_title(window: str, outlet: str | None) -> None:
    assert page("en", window, "Bridge for £1.2m is coming").outlet == outlet


def test_a_name_and_a_day_below_the_lead_of_a_page_are_a_byline() -> None:
    lead = "The council has made up its mind about the old bridge, which was closed."
    byline = "Ann Kemp<br>Transport Editor<br>Thu 3 April 2025, 09:15"
    found = page("en", "New bridge | Talbote", "New bridge", lead, f"<span class=author>{byline}</span>")
    assert (found.author, found.published, "Kemp" in left(found)) == ("Ann Kemp", DAY, False)


def test_where_and_when_it_takes_place_stays_below_a_lead() -> None:
    for line in ("3. Mai 2025, 20 Uhr", "Linde Hohenau, 3. Mai 2025"):
        assert line in left(article("de", "Der Chor singt im Dom. Karten gibt es noch.", line))


@pytest.mark.parametrize(
    "field", ["Ressort: Meinung", "section: Opinion", "rubrique: tribune", "secção: Opinião"]
)
def test_the_section_in_front_matter_may_make_a_comment(field: str) -> None:
    (document,) = read_markdown(f"---\n{field}\n---\n\n{BODIES['de']}\n".encode()).documents
    assert document.genre == "comment"


@pytest.mark.parametrize(
    ("language", "lead"),
    [
        ("en", "On Monday, she was at the bridge."),
        ("fr", "Hier, elle a ouvert le pont."),
        ("pt", "Ontem, foi aprovado em Lisboa o orçamento."),
    ],
)
def test_a_lead_below_the_author_is_text(language: str, lead: str) -> None:
    assert lead in left(article(language, "3.4.2025", "Ann Kemp", lead))
