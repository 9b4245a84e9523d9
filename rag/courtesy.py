"""The words of which greetings, thanks, apologies and polite frames are made, by language.

A clause is courtesy if all its words are of this list and one is a head. So combinations need no entry of
their own: "Hätten Sie vielleicht kurz Zeit, mir zu sagen, …". Neither names of topics nor the words by
which a question asks are on it, nor third persons: "Sagte er, …" is content.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Courtesy:
    """A language's courtesy: `words` are all that it is made of, `heads` those that tell it."""

    heads: frozenset[str]
    words: frozenset[str]


def _courtesy(heads: str, others: str) -> Courtesy:
    telling = frozenset(heads.split()) | INTERNATIONAL
    return Courtesy(telling, telling | frozenset(others.split()))


INTERNATIONAL = frozenset("hi hello hey hallo ok okay danke thanks thx merci sorry pardon please".split())

GREETINGS = frozenset(
    """
    hallo hi hey hello moin servus grüezi tag morgen abend mahlzeit huhu sehr geehrte geehrter geehrtes
    liebe lieber liebes gott good morning afternoon evening dear greetings bonjour bonsoir salut cher
    chère olá oi dia tarde noite caro cara привіт вітаю день дня ранку вечора вечір шановні шановний
    шановна
    """.split()
)
SIGN_OFFS = frozenset(
    """
    grüße grüßen gruß grüsse grüssen gruss lg vg mfg bg hg ciao tschüss danke dank thanks thank cheers
    regards wishes sincerely best yours merci cordialement bien salutations bises obrigado obrigada abraço
    abraços cumprimentos дякую повагою вітаннями
    """.split()
)
BEFORE_SIGN_OFFS = frozenset(
    """
    vielen herzlichen herzliche besten lieben tausend schon mal mit viele liebe beste schöne freundlichen
    freundliche many best kind warm with thank kindest muito muitas desde já щиро з із bien avec
    salutations
    """.split()
)
# no nouns and no address: with a capital, they begin a sentence
OPENS_A_SENTENCE = frozenset(
    "für ich wäre das es über könnten können könnte kannst could would that my je pour cela pourriez desde"
    " eu por будьте я".split()
)
ADVERSATIVES = frozenset("aber but mais mas але".split())

GERMAN = _courtesy(
    """
    moin servus grüezi mahlzeit huhu tag morgen abend geehrte geehrter geehrtes geehrten liebe lieber
    liebes gott danke dank dankeschön danken dankbar bedanke verbunden entschuldigung entschuldige
    entschuldigen entschuldigt verzeihung verzeihen verzeih störung stören bitte frage fragen anliegen
    anderes themawechsel sagen sag sage verraten verrate verrat erklären erklär erkläre erläutern
    erläutere mitteilen teilen nennen nenne beantworten beantworte antworten antworte antwort auskunft
    hilfe helfen hilf weiterhelfen erzählen erzähl erzähle wissen weiß weißt weiss weisst wisst wüsste
    wüssten erfahren bekannt ahnung interessieren interessiert interessierte neugierig grüße grüßen gruß
    grüsse grüssen gruss lg vg mfg bg hg tschüss gespannt raussuchen heraussuchen herausfinden nachsehen
    nachschauen info infos information informationen angaben quelle quellen
    """,
    """
    ich du sie ihr wir mir mich dir dich uns ihnen euch man jemand ihre ihrer ihren ihrem deine deiner
    deinen meine meiner meinem mein ein eine einen einer einem kein keine kann könnte können könnten
    könntest könntet kannst könnt würde würden würdest wäre wären wärst möchte möchten mag will wollte
    wollten hätte hätten hättest habe hab haben hast habt brauche bräuchte brauch benötige suche darf
    dürfte dürften muss müsste soll ist bin sind sei seien lautet werde wird tut leid es das die der den
    dem dies dieses diese dieser folgende folgendes folgender folgenden nächste letzte letzten letzter
    andere anderen erste weitere weiteren kurz kurze kurzer kurzen kleine schnelle schnell mal einmal eben
    gerade gleich noch nur doch denn so freundlich freundliche freundlichen freundlicherweise nett lieb
    gut guten gute schönen schön schöne toll super prima hilfreich großartig hervorragend klar alles viele
    vielen vielmals herzlichen herzliche herzlich besten beste lieben lieber tausend sehr ganz recht gern
    gerne vielleicht eventuell evtl möglich möglicherweise zufällig jetzt nun also zu zur zum im voraus
    vorab an auf für um von über dazu darüber darauf davon wenn ob da hier hat sich freuen freue mühe zeit
    moment minute augenblick geduld etwas was team redaktion damen herren herr frau dr zusammen alle leute
    freunde kollegen kolleginnen und oder aber mit wieder direkt genau konkret knapp ausführlich deutsch
    rasche rückmeldung erlaubt gestatten erlauben eines wunsch bitten dankend
    """,
)
ENGLISH = _courtesy(
    """
    morning afternoon evening dear greetings thank thankful grateful appreciate appreciated cheers regards
    wishes sincerely apologies apologise apologize excuse bother disturb pls plz kindly tell know explain
    answer help question questions ask wonder wondering wondered curious interested interest enlighten
    inform wish helpful clarify find
    """,
    """
    i you we me us my your yours it this that these the a an is are was am be been being d m s ll re ve
    would could can may might will shall do does did don t have has had want wanted like love need got get
    let more much many very really so just quick short small brief simple one another other new next last
    first final thing to of for in on about with at as and or if whether out up here there any idea
    anybody anyone somebody someone kind nice great good lovely wonderful perfect advance lot bunch
    possible perhaps maybe possibly help time moment minute day sir madam team all everyone folks guys
    best warm following please by way now also again but mind hear learn from look forward reply response
    """,
)
FRENCH = _courtesy(
    """
    bonjour bonsoir salut coucou cher chère chers madame monsieur mesdames messieurs remercie remercier
    remerciements cordialement salutations bises excusez excuse excuses désolé désolée déranger dérange
    dire dis dites expliquer expliquez explique préciser indiquer indiquez répondre réponse savoir sais
    savez saurais sauriez demander demande question questions aider aidez aide renseigner renseignement
    renseignements intéresse intéresserait curieux curieuse plaît plait svp stp
    """,
    """
    je j tu vous nous on me m moi te t toi mon ma mes votre ton un une le la les l de d des du à au en est
    ce que qu il elle c s si y a ai as avez aurais aurait auriez pouvez pourriez peux pourrais puis peut
    pouvoir voudrais aimerais souhaiterais veux voulais serait serais seriez suis êtes es petite petit
    autre prochaine dernière rapide simple voici et ou mais pour avec par avance bien beaucoup très mille
    infiniment tout tous toute chacun équipe ça cela vois plus gentil gentille aimable possible être vos
    aide temps instant minute abord donc alors bonne journée soirée suivante quelqu quelque chose savoir
    cette grand
    """,
)
PORTUGUESE = _courtesy(
    """
    olá oi alô bom boa prezado prezada prezados caro cara senhor senhora senhores obrigado obrigada
    agradeço agradecido agradecida abraço abraços cumprimentos desculpe desculpa desculpem perdão
    incomodar favor dizer diga digam explicar explique responder responda resposta informar saber sabe
    sabem sei pergunta perguntas dúvida dúvidas perguntar ajudar ajude ajuda interessa interessaria
    curioso curiosa curiosidade gentileza
    """,
    """
    eu você vocês tu me mim nos te lhe meu minha seu sua um uma o a os as de do da em no na é está estou
    pode poderia podia podem podes poderias gostaria queria quero preciso tenho tinha teria seria se faz
    por para com e ou mas muito muita mil desde já antecipadamente antemão que isso isto alguém rápida
    pequena simples outra próxima última dia tarde noite tudo bem todos equipe equipa seguinte atenção
    ajuda só apenas lá aqui então agora também atenciosamente possível tempo minuto licença
    """,
)
UKRAINIAN = _courtesy(
    """
    привіт вітаю вітання добрий доброго добридень день дня ранку вечора вечір шановні шановний шановна
    дякую дяка вдячний вдячна подяка вибачте вибач перепрошую пробачте пробач вибачаюсь турбую турбувати
    ласка ласкаві скажіть скажи сказати підкажіть підкажи підказати поясніть поясни пояснити розкажіть
    відповісти знати знаєте знаєш дізнатися дізнатись запитати спитати питання запитання цікаво цікавить
    допомогти допоможіть допоможи повагою
    """,
    """
    я ви ти ми мені мене нам вам вас тобі мій моє моя ваш ваша у в є маю маємо мав б би чи можете можеш
    могли міг могла можна хотів хотіла хочу хотілося будь будьте щиро дуже наперед заздалегідь за це і й
    та але ще одне одна інше інша наступне таке коротке швидке невелике просте отже всім усім друзі
    команда колеги пані пане панове буду був була допомогу відповідь увагу час хтось з із найкращими
    вітаннями
    """,
)
COURTESIES = (GERMAN, ENGLISH, FRENCH, PORTUGUESE, UKRAINIAN)

# words by which a question begins that a frame leads to without a comma
ASKING = frozenset(
    """
    wer wen wem wessen was wann wo wohin woher warum weshalb wieso wie wieviel wieviele welche welcher
    welches welchen welchem wofür womit woran worauf woraus worin worüber worum wovon wozu wodurch wogegen
    wobei ob who whom whose what when where why how which whether if qui quoi quand où comment pourquoi
    combien quel quelle quels quelles lequel laquelle ce si quem quando onde como porque quê qual quais
    quanto quanta quantos quantas se хто кого кому ким що чого коли де куди звідки чому навіщо як який яка
    яке які якого якої якому якій яким якою яких якими скільки чи чий чия чиє чиї
    """.split()
)
PREPOSITIONS = frozenset(
    """
    an auf aus bei bis für gegen in im mit nach seit um unter über von vor wegen zu zwischen at by for
    from of on since to under until with à de d en dans depuis pour par avec sur em no na com desde por
    para sobre у в з із від до на про за через
    """.split()
)
