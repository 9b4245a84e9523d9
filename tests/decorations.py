"""What people write around a question, by language; written before the grammar that takes it off.

`{q}` is the question. Those of `HELD_BACK` were first tried when the grammar stood.
"""

from __future__ import annotations

AROUND = {
    "de": (
        "Guten Abend, {q}",
        "Hallo zusammen! Ich bräuchte mal kurz Hilfe: {q}",
        "{q} Herzlichen Dank für Ihre Mühe!",
        "Ich hätte da mal eine Frage. {q} Danke euch!",
        "Könntest du mir bitte verraten: {q}",
        "Mich würde mal interessieren: {q}",
        "{q} 😊",
    ),
    "en": (
        "Good evening! {q}",
        "Hey there, {q}",
        "{q} Thanks a lot in advance!",
        "I have a quick question: {q} Best regards, Tom",
        "Could you please tell me: {q}",
        "{q} Cheers 👍",
    ),
    "fr": ("Bonsoir, j'aurais une petite question : {q} Merci beaucoup !", "{q} Merci d'avance"),
    "pt": ("Boa tarde! Gostaria muito de saber: {q} Obrigada!", "Por favor, {q}"),
    "uk": ("Доброго вечора! Підкажіть, будь ласка: {q} Щиро дякую!", "Вітаю, {q}"),
}
HELD_BACK = {
    "de": (
        "Entschuldigen Sie die Störung, aber {q}",
        "{q} LG Sabine 🙏",
        "Sehr geehrtes Team, bitte beantworten Sie mir folgende Frage: {q} Mit besten Grüßen, K. Vogt",
        "Moin, kurze Frage – {q}",
        "Wären Sie so freundlich, mir das zu beantworten? {q}",
        "Servus Leute, weiß das jemand: {q} Merci!",
        "Danke für die letzte Antwort! Jetzt noch etwas anderes: {q}",
        "{q} Für eine Auskunft wäre ich Ihnen sehr dankbar.",
    ),
    "en": (
        "Sorry to bother you, but {q}",
        "Would you be so kind as to answer this: {q}",
        "Dear team, I was just wondering: {q} Many thanks",
        "Please help me with this. {q}",
        "Thanks, that was helpful! Next question: {q}",
        "{q} I'd really appreciate your help.",
    ),
    "fr": ("Salut ! Tu peux m'aider ? {q}", "Excusez-moi de vous déranger, {q} Cordialement"),
    "pt": ("Oi, tudo bem? {q}", "Tenho uma dúvida: {q} Desde já agradeço."),
    "uk": ("Привіт! Можеш мені допомогти? {q}", "Перепрошую, маю запитання: {q} З повагою, Олена"),
}
