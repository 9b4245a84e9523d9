"""What Beleg says about the dossier itself, and of itself, by language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Texts:
    """The phrases of one language; `{…}` are filled in. `articles` are the forms for 1, 2 and 5."""

    day: str
    quotes: str
    articles: tuple[str, str, str]
    holds: str
    of: str
    no_article: str
    none_of: str
    ranging: str
    newest: tuple[str, str]
    oldest: tuple[str, str]
    written_by: str
    appeared: str
    appeared_in: str
    no_author: str
    no_date: str
    no_outlet: str
    no_title: str
    outlets: str
    authors: str
    languages: str
    period: str
    undated: str
    more: str
    mentions: str
    genres: tuple[str, str]
    weekdays: tuple[str, ...]
    names: tuple[str, ...]
    greeting: str
    thanks: str
    task: str
    about_me: str

    def articles_of(self, n: int) -> str:
        """5 Artikel, 1 article, 21 стаття."""
        if self is TEXTS["uk"]:
            few = n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14)
            form = 0 if n % 10 == 1 and n % 100 != 11 else 1 if few else 2
        else:
            form = 0 if n == 1 else 1
        return f"{n} {self.articles[form]}"

    def day_of(self, day: date | None) -> str:
        return day.strftime(self.day) if day else self.no_date

    def days_of(self, first: str | None, last: str | None) -> str:
        """15.08.2025 – 19.08.2025, 15.08. of any year, … where a bound is open."""
        bounds = [self._written(bound) if bound else "…" for bound in (first, last)]
        return bounds[0] if first == last else " – ".join(bounds)

    def _written(self, bound: str) -> str:
        """An ISO date, or `MM-DD`, as the language writes it."""
        if len(bound) > len("MM-DD"):
            return date.fromisoformat(bound).strftime(self.day)
        without_year = self.day.replace("/%Y", "").replace("%Y-", "").replace("%Y", "")
        return date.fromisoformat(f"2024-{bound}").strftime(without_year)  # a leap year


TEXTS = {
    "de": Texts(
        day="%d.%m.%Y",
        quotes="„{}“",
        articles=("Artikel", "Artikel", "Artikel"),
        holds="Das Dossier enthält {articles}.",
        of="{n} von {all} Artikeln ({what}):",
        no_article="Kein Artikel passt dazu ({what}); das Dossier enthält {articles}",
        none_of="Kein Artikel von {name}; es gibt Artikel von: {names}.",
        ranging=", erschienen vom {first} bis zum {last}",
        newest=("Der neueste Artikel:", "Die neuesten Artikel:"),
        oldest=("Der älteste Artikel:", "Die ältesten Artikel:"),
        written_by="Geschrieben von {names}:",
        appeared="Erschienen am {day}:",
        appeared_in="Erschienen in {names}:",
        no_author="ohne Autor",
        no_date="ohne Datum",
        no_outlet="ohne Quelle",
        no_title="ohne Titel",
        outlets="Die Artikel haben {n} Quellen:",
        authors="Die Artikel haben {n} Autoren:",
        languages="Sprachen der Artikel:",
        period="{articles}, erschienen vom {first} bis zum {last}:",
        undated="{articles} ohne Datum.",
        more="… und {n} weitere; alle stehen auf der Seite „Artikel“.",
        mentions="erwähnt {}",
        genres=("Bericht", "Kommentar"),
        weekdays=("Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"),
        names=("Deutsch", "Englisch", "Französisch", "Portugiesisch", "Ukrainisch"),
        greeting="Hallo!",
        thanks="Gern geschehen!",
        task="Das ist leider keine Frage an die Artikel: Ich schreibe, übersetze und berechne nichts, und"
        " neue Anweisungen nehme ich nicht an.",
        about_me="Ich beantworte Fragen zu den Artikeln dieses Dossiers ({articles}) und belege jede Aussage"
        " mit der Stelle. Fragen Sie nach Personen, Orten, Zahlen und Gründen, oder nach den Artikeln selbst:"
        " „Welche Artikel gibt es?“",
    ),
    "en": Texts(
        day="%Y-%m-%d",
        quotes="“{}”",
        articles=("article", "articles", "articles"),
        holds="The dossier holds {articles}.",
        of="{n} of {all} articles ({what}):",
        no_article="No article fits ({what}); the dossier holds {articles}",
        none_of="No article is by {name}; there are articles by: {names}.",
        ranging=", published from {first} to {last}",
        newest=("The newest article:", "The newest articles:"),
        oldest=("The oldest article:", "The oldest articles:"),
        written_by="Written by {names}:",
        appeared="Published on {day}:",
        appeared_in="Published in {names}:",
        no_author="no author stated",
        no_date="no date",
        no_outlet="no source stated",
        no_title="untitled",
        outlets="The articles have {n} sources:",
        authors="The articles have {n} authors:",
        languages="Languages of the articles:",
        period="{articles}, published from {first} to {last}:",
        undated="{articles} without a date.",
        more="… and {n} more; all are on the page “Articles”.",
        mentions="mentions {}",
        genres=("report", "comment"),
        weekdays=("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
        names=("German", "English", "French", "Portuguese", "Ukrainian"),
        greeting="Hello!",
        thanks="You are welcome!",
        task="That is no question for the articles, I am afraid: I do not write, translate or compute,"
        " nor take new instructions.",
        about_me="I answer questions about the articles of this dossier ({articles}), and cite the place for"
        " each statement. Ask about people, places, figures and reasons, or about the articles themselves:"
        " “Which articles are there?”",
    ),
    "fr": Texts(
        day="%d/%m/%Y",
        quotes="« {} »",
        articles=("article", "articles", "articles"),
        holds="Le dossier contient {articles}.",
        of="{n} sur {all} articles ({what}) :",
        no_article="Aucun article ne correspond ({what}) ; le dossier contient {articles}",
        none_of="Aucun article de {name} ; il y a des articles de : {names}.",
        ranging=", parus du {first} au {last}",
        newest=("L’article le plus récent :", "Les articles les plus récents :"),
        oldest=("L’article le plus ancien :", "Les articles les plus anciens :"),
        written_by="Écrit par {names} :",
        appeared="Paru le {day} :",
        appeared_in="Paru dans {names} :",
        no_author="sans auteur",
        no_date="sans date",
        no_outlet="sans source",
        no_title="sans titre",
        outlets="Les articles ont {n} sources :",
        authors="Les articles ont {n} auteurs :",
        languages="Langues des articles :",
        period="{articles}, parus du {first} au {last} :",
        undated="{articles} sans date.",
        more="… et {n} de plus ; tous se trouvent sur la page « Articles ».",
        mentions="mentionne {}",
        genres=("reportage", "commentaire"),
        weekdays=("dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"),
        names=("allemand", "anglais", "français", "portugais", "ukrainien"),
        greeting="Bonjour !",
        thanks="Avec plaisir !",
        task="Ce n’est malheureusement pas une question pour les articles : je n’écris, ne traduis"
        " et ne calcule rien, et je ne reçois pas de nouvelles instructions.",
        about_me="Je réponds aux questions sur les articles de ce dossier ({articles}) et cite le passage"
        " pour chaque affirmation. Posez une question sur des personnes, des lieux, des chiffres ou des"
        " raisons, ou sur les articles eux-mêmes : « Quels articles y a-t-il ? »",
    ),
    "pt": Texts(
        day="%d/%m/%Y",
        quotes="“{}”",
        articles=("artigo", "artigos", "artigos"),
        holds="O dossiê contém {articles}.",
        of="{n} de {all} artigos ({what}):",
        no_article="Nenhum artigo corresponde ({what}); o dossiê contém {articles}",
        none_of="Nenhum artigo de {name}; há artigos de: {names}.",
        ranging=", publicados de {first} a {last}",
        newest=("O artigo mais recente:", "Os artigos mais recentes:"),
        oldest=("O artigo mais antigo:", "Os artigos mais antigos:"),
        written_by="Escrito por {names}:",
        appeared="Publicado em {day}:",
        appeared_in="Publicado em {names}:",
        no_author="sem autor",
        no_date="sem data",
        no_outlet="sem fonte",
        no_title="sem título",
        outlets="Os artigos têm {n} fontes:",
        authors="Os artigos têm {n} autores:",
        languages="Línguas dos artigos:",
        period="{articles}, publicados de {first} a {last}:",
        undated="{articles} sem data.",
        more="… e mais {n}; todos estão na página “Articles”.",
        mentions="menciona {}",
        genres=("reportagem", "comentário"),
        weekdays=(
            "domingo",
            "segunda-feira",
            "terça-feira",
            "quarta-feira",
            "quinta-feira",
            "sexta-feira",
            "sábado",
        ),
        names=("alemão", "inglês", "francês", "português", "ucraniano"),
        greeting="Olá!",
        thanks="De nada!",
        task="Infelizmente, isto não é uma pergunta para os artigos: não escrevo, não traduzo, não calculo"
        " nem aceito novas instruções.",
        about_me="Respondo a perguntas sobre os artigos deste dossiê ({articles}) e cito o trecho de cada"
        " afirmação. Pergunte por pessoas, lugares, números e razões, ou pelos próprios artigos:"
        " “Que artigos há?”",
    ),
    "uk": Texts(
        day="%d.%m.%Y",
        quotes="«{}»",
        articles=("стаття", "статті", "статей"),
        holds="Досьє містить {articles}.",
        of="{n} із {all} статей ({what}):",
        no_article="Жодна стаття не підходить ({what}); у досьє {articles}",
        none_of="Немає статей від {name}; є статті від: {names}.",
        ranging=", опубліковано з {first} до {last}",
        newest=("Найновіша стаття:", "Найновіші статті:"),
        oldest=("Найстаріша стаття:", "Найстаріші статті:"),
        written_by="Автор: {names}:",
        appeared="Опубліковано {day}:",
        appeared_in="Опубліковано у виданні {names}:",
        no_author="без автора",
        no_date="без дати",
        no_outlet="без джерела",
        no_title="без назви",
        outlets="Джерела статей ({n}):",
        authors="Автори статей ({n}):",
        languages="Мови статей:",
        period="{articles}, опубліковано з {first} до {last}:",
        undated="{articles} без дати.",
        more="… і ще {n}; усі вони на сторінці «Articles».",
        mentions="згадує {}",
        genres=("репортаж", "коментар"),
        weekdays=("неділя", "понеділок", "вівторок", "середа", "четвер", "п’ятниця", "субота"),
        names=("німецька", "англійська", "французька", "португальська", "українська"),
        greeting="Вітаю!",
        thanks="Будь ласка!",
        task="На жаль, це не запитання до статей: я нічого не пишу, не перекладаю й не обчислюю"
        " і не приймаю нових вказівок.",
        about_me="Я відповідаю на запитання про статті цього досьє ({articles}) і до кожного твердження"
        " наводжу місце в тексті. Питайте про людей, місця, числа й причини або про самі статті:"
        " «Які статті тут є?»",
    ),
}
