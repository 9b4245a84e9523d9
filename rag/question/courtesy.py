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


INTERNATIONAL = frozenset("hi hello hey hallo ok okay danke thanks thx ty merci sorry pardon please".split())

GREETINGS = frozenset(
    """
    hallöchen grüß greetings hiya howdy saudações здрастуйте hallo hi hey hello moin servus grüezi tag
    morgen abend mahlzeit huhu sehr geehrte geehrter geehrtes liebe lieber liebes gott good morning
    afternoon evening dear bonjour bonsoir salut cher chère olá oi dia tarde noite caro cara привіт
    вітаю день дня ранку вечора вечір шановні шановний шановна
    """.split()
)
SIGN_OFFS = frozenset(
    """
    thx ty hochachtungsvoll herzlichst atenciosamente cordialmente grüße grüßen gruß grüsse grüssen
    gruss lg vg mfg bg hg ciao tschüss danke dank thanks thank cheers regards wishes sincerely best
    yours merci cordialement bien salutations bises obrigado obrigada abraço abraços cumprimentos дякую
    повагою вітаннями
    """.split()
)
BEFORE_SIGN_OFFS = frozenset(
    """
    vielen herzlichen herzliche besten lieben tausend schon mal mit viele liebe beste schöne
    freundlichen freundliche many best kind warm with thank kindest muito muitas desde já щиро з із bien
    avec salutations
    """.split()
)
# no nouns and no address: with a capital, they begin a sentence
OPENS_A_SENTENCE = frozenset(
    "für ich wäre das es über könnten können könnte kannst could would that my je pour cela pourriez desde"
    " eu por будьте я".split()
)
PLEASE = frozenset("bitte please pls plz svp stp plaît plait favor ласка".split())
ADVERSATIVES = frozenset("aber but mais mas але".split())

GERMAN = _courtesy(
    """
    zeit moment minute moin servus grüezi mahlzeit huhu tag morgen abend geehrte geehrter geehrtes
    geehrten liebe lieber liebes gott danke dank dankeschön danken dankbar bedanke verbunden
    entschuldigung entschuldige entschuldigen entschuldigt verzeihung verzeihen verzeih störung stören
    bitte frage fragen anliegen anderes themawechsel sagen sag sage verraten verrate verrat erklären
    erklär erkläre erläutern erläutere mitteilen teilen nennen nenne beantworten beantworte antworten
    antworte antwort auskunft hilfe helfen hilf weiterhelfen erzählen erzähl erzähle wissen weiß weißt
    weiss weisst wisst wüsste wüssten erfahren bekannt ahnung interessieren interessiert interessierte
    neugierig grüße grüßen gruß grüsse grüssen gruss lg vg mfg bg hg tschüss gespannt raussuchen
    heraussuchen herausfinden nachsehen nachschauen info infos information informationen angaben quelle
    quellen hallöchen hallole tach grüß guten moinsen zwischenfrage verständnisfrage rückfrage
    zusatzfrage anschlussfrage nachfrage quizfrage fragestellung hochachtungsvoll herzlichst verstanden
    kapiert recherchiere recherchieren recherchier nachfragen nachgefragt gefragt wunder frag wundere
    rätsel dankesehr thema erläuterung auskünfte hilfestellung schlauer klären beantwortet interesse
    wissbegierig verrätst erklärst sagst nennst weiterhilfst hilfst helft weiterzuhelfen beizubringen
    herauszufinden antwortet bescheid suche such finde gib gibst geben zeig zeige nachmittag mittag
    vormittag anfrage bitten bitt mitzuteilen sagend freundlichkeit liebenswürdigkeit ehrlich
    nachschlagen nachlesen aufklären aufklärung einschätzen störe störte aufhalten aufhalte behilflich
    unterstützen unterstützung unterstützt gebeten fragt fragte frägt erkundigen erkundige beschäftigt
    würdigung dankend entschuldigend bedanken bedankt verabschiede rückmelden melden melde beantwortung
    beantwortest klärt aufschlussreich hilfsbereitschaft bemühungen bemühung mühen aufwand willkommen
    tschö ade bye cheerio gerätselt unsicher verwirrt frohen angeben angibst ermitteln prüfen prüf prüfe
    check checken deutsch englisch französisch stichworten stichpunkten satz sätzen
    """,
    """
    ich du sie ihr wir mir mich dir dich uns ihnen euch man jemand ihre ihrer ihren ihrem deine deiner
    deinen meine meiner meinem mein ein eine einen einer einem kein keine kann könnte können könnten
    könntest könntet kannst könnt würde würden würdest wäre wären wärst möchte möchten mag will wollte
    wollten hätte hätten hättest habe hab haben hast habt brauche bräuchte brauch benötige suche darf
    dürfte dürften muss müsste soll ist bin sind sei seien lautet werde wird tut leid es das die der den
    dem dies dieses diese dieser folgende folgendes folgender folgenden nächste letzte letzten letzter
    andere anderen erste weitere weiteren kurz kurze kurzer kurzen kleine schnelle schnell mal einmal
    eben gerade gleich noch nur doch denn so freundlich freundliche freundlichen freundlicherweise nett
    lieb gut guten gute schönen schön schöne toll super prima hilfreich großartig hervorragend klar
    alles viele vielen vielmals herzlichen herzliche herzlich besten beste lieben lieber tausend sehr
    ganz recht gern gerne vielleicht eventuell evtl möglich möglicherweise zufällig jetzt nun also zu
    zur zum im voraus vorab an auf für um von über dazu darüber darauf davon wenn ob da hier hat sich
    freuen freue mühe zeit moment minute augenblick geduld etwas was team redaktion damen herren herr
    frau dr zusammen alle leute freunde kollegen kolleginnen und oder aber mit wieder direkt genau
    konkret knapp ausführlich deutsch rasche rückmeldung erlaubt gestatten erlauben eines wunsch bitten
    dankend wie folgt folgend gehts geht ne nen nem n allerseits miteinander hoffe hoffentlich verzeihe
    dumme doofe blöde simple einfache spontane konkrete wichtige dringende allgemeine zweite dritte neue
    leider komme kommen weiter liebsten angenehmen tag tages wochenende woche feierabend abend schon
    nicht einfach okay oki perfekt klasse spitze wunderbar ausgezeichnet interessant sache momentan
    derzeit aktuell nebenbei übrigens ähm hm hmm äh ach ah oh naja tja ja nein jo he antworten beim bei
    nach eigentlich überhaupt bloß zuvor vorher erst erstmal dafür hierzu dabei daran los geht's hey
    freundlichst grüßt euer eure seitens ki bot assistent chatbot beleg system gestellt stellen gestatte
    wärest stehe stünde steht sitze auskunft wär hätt möcht frohes schönes morgen gutes gelingen rat
    tipp hinweis dass damit schluss letztes ende fürs wegen werte werter werten späte späten frühe
    kollege kollegin nämlich zwar halt wohl ruhig stimmt richtig falsch nix nichts irgendwas irgendwie
    irgendwo irgendwer jemanden selber selbst finde gefunden denke glaube hoffte freut dürft dürfen
    konnte konntest konnten bitteschön gesundheit stunde sekunde abschließend abschließende zunächst
    zuerst danach anschließend außerdem zudem ferner ebenfalls auch aus hause familie firma hoch
    schnellstmöglich baldige baldigen bald rasch umgehend womöglich ehrliche ernsthaft ernst gemeinte
    kleinen kleiner größere großen großes großer riesen riesiges sonnige sonniger frage fragen gestellte
    gestellten deren ihres unserer unsere unser lesen möglichst verständlich einfachen worten zwei drei
    vorne hinaus in am bis drüber drauf drum mach macht machen geh gehen lass lasst
    """,
)
ENGLISH = _courtesy(
    """
    quick minute moment sec morning afternoon evening dear greetings thank thankful grateful appreciate
    appreciated cheers regards wishes sincerely apologies apologise apologize excuse bother disturb pls
    plz kindly tell know explain answer help question questions ask wonder wondering wondered curious
    interested interest enlighten inform wish helpful clarify find hiya howdy hola yo g'day query
    curiosity silly stupid apology pardon understood thankyou ty asking asked telling explaining helping
    assist assistance figure enquire inquire inquiry googling checking respectfully faithfully truly
    welcome trying looking research check obliged day sorry bothering troubling trouble interrupt
    interrupting guess answering replying details detail info information language german sentence
    sentences briefly concise polite bye goodbye farewell unsure confused informed hear obliging
    courtesy gratitude support supporting aid
    """,
    """
    i you we me us my your yours it this that these the a an is are was am be been being d m s ll re ve
    would could can may might will shall do does did don t have has had want wanted like love need got
    get let more much many very really so just quick short small brief simple one another other new next
    last first final thing to of for in on about with at as and or if whether out up here there any idea
    anybody anyone somebody someone kind nice great good lovely wonderful perfect advance lot bunch
    possible perhaps maybe possibly help time moment minute day sir madam team all everyone folks guys
    best warm following please by way now also again but mind hear learn from look forward reply
    response everybody hope hoping well doing fine follows follow some can't cannot i've i'm let's letme
    ask something else thought thinking try few seconds sec second too super cool awesome brilliant
    amazing fantastic understood see right alright hm hmm um uh oh ah anyway btw greatly highly truly
    sincerely deeply would'd care could're able here's that's it'd dumb basic easy random important
    question mr mrs ms dr bot assistant ai beleg back soon answer evening afternoon night weekend week
    today rest yourself how when's give given hand figure into what's name related topic subject change
    changing keep make sure not no none know's didn't doesn't isn't wasn't nothing cause because since
    asking hello while till until later ahead come having giving using own whatever however though
    although myself looked looks read reading learned learning lost stuck struggling put only than then
    them done unable actually honestly frankly basically respond responding regarding concerning two
    three sort bit tad little favour favor big
    """,
)
FRENCH = _courtesy(
    """
    bonjour bonsoir salut coucou cher chère chers madame monsieur mesdames messieurs remercie remercier
    remerciements cordialement salutations bises excusez excuse excuses désolé désolée déranger dérange
    dire dis dites expliquer expliquez explique préciser indiquer indiquez répondre réponse savoir sais
    savez saurais sauriez demander demande question questions aider aidez aide renseigner renseignement
    renseignements intéresse intéresserait curieux curieuse plaît plait svp stp merci interrogation
    curiosité éclairer éclairez informer informez remerciant sincères chercher cherche renseignez saluer
    dîtes donner donnez bonne trouver compris amabilité gentillesse obligeance bonté indication
    indications précision précisions éclaircissement aimablement réponds répondez répond bref brièvement
    courtoisie remercîments demandais interroge interrogeais ignore
    """,
    """
    je j tu vous nous on me m moi te t toi mon ma mes votre ton un une le la les l de d des du à au en
    est ce que qu il elle c s si y a ai as avez aurais aurait auriez pouvez pourriez peux pourrais puis
    peut pouvoir voudrais aimerais souhaiterais veux voulais serait serais seriez suis êtes es petite
    petit autre prochaine dernière rapide simple voici et ou mais pour avec par avance bien beaucoup
    très mille infiniment tout tous toute chacun équipe ça cela vois plus gentil gentille aimable
    possible être vos aide temps instant minute abord donc alors bonne journée soirée suivante quelqu
    quelque chose savoir cette grand fin week end toutes monde brève bête idiote précise aujourd hui
    j'espère espère va allez comme suit parfait super génial d'accord accord ok sujet maintenant encore
    réponse retour attente sentiments distingués respectueusement même reconnaissant reconnaissante gré
    faire pas plaisir heure aimeriez assistant aider cet voilà pourrait sauriez voudriez voulez veuillez
    pouviez aviez feriez attendant lecture avoir comment sincèrement agréable excellente excellent soir
    matin après midi monsieur chères collègues ami amis deux trois mots phrases français langue court
    courte ne sais rien jamais trop trouve cherché cherchais demander
    """,
)
PORTUGUESE = _courtesy(
    """
    olá oi alô bom boa prezado prezada prezados caro cara senhor senhora senhores obrigado obrigada
    agradeço agradecido agradecida abraço abraços cumprimentos desculpe desculpa desculpem perdão
    incomodar favor dizer diga digam explicar explique responder responda resposta informar saber sabe
    sabem sei pergunta perguntas dúvida dúvidas perguntar ajudar ajude ajuda interessa interessaria
    curioso curiosa curiosidade gentileza saudações oie opa grato grata questão duvida esclarecer
    esclareça atenciosamente cordialmente respondam entendi agradecia agradeceria queria gostava procuro
    descobrir dizes ajudas gentil amabilidade explicação esclarecimento informação informações responde
    responde-me breve perguntava perguntinha indica indicar indique diz
    """,
    """
    eu você vocês tu me mim nos te lhe meu minha seu sua um uma o a os as de do da em no na é está estou
    pode poderia podia podem podes poderias gostaria queria quero preciso tenho tinha teria seria se faz
    por para com e ou mas muito muita mil desde já antecipadamente antemão que isso isto alguém rápida
    pequena simples outra próxima última dia tarde noite tudo bem todos equipe equipa seguinte atenção
    ajuda só apenas lá aqui então agora também atenciosamente possível tempo minuto licença pela pelo
    pessoal gente amigos espero esteja estejam boba rápido favor bom boa semana coisa assunto mudando
    ótimo perfeito certo ok legal resposta vossa dar gostava pudesse poder conseguem consegue fim ser
    é'm tentando à ao será poderão fosse agradecendo conta atenta não sei nada encontrei pois assim olhe
    olha ora caríssimos estimado estimada estimados colegas duas três palavras frases português
    """,
)
UKRAINIAN = _courtesy(
    """
    привіт вітаю вітання добрий доброго добридень день дня ранку вечора вечір шановні шановний шановна
    дякую дяка вдячний вдячна подяка вибачте вибач перепрошую пробачте пробач вибачаюсь турбую турбувати
    ласка ласкаві скажіть скажи сказати підкажіть підкажи підказати поясніть поясни пояснити розкажіть
    відповісти знати знаєте знаєш дізнатися дізнатись запитати спитати питання запитання цікаво цікавить
    допомогти допоможіть допоможи повагою здрастуйте здоровенькі вітаннячко хай дякуємо спасибі вдячні
    питаннячко скажете підкажете поясните розкажи відповідь зрозуміло поможіть шукаю зацікавлений
    цікавлюсь поваги побажаннями слухайте слухай повідомте повідомити пояснення інформація інформацію
    уточніть уточнити стисло коротко відповідайте відповідай прошу запитаннячко
    """,
    """
    я ви ти ми мені мене нам вам вас тобі мій моє моя ваш ваша у в є маю маємо мав б би чи можете можеш
    могли міг могла можна хотів хотіла хочу хотілося будь будьте щиро дуже наперед заздалегідь за це і й
    та але ще одне одна інше інша наступне таке коротке швидке невелике просте отже всім усім друзі
    команда колеги пані пане панове буду був була допомогу відповідь увагу час хтось з із найкращими
    вітаннями усе усіх гарного гарний дня вечора сподіваюся сподіваюсь справи добре тема хотілось
    дізнатися питання запит підтримку будь-хто щось прошу прохання дурне маленьке чудово супер так
    гаразд ок зараз тепер мою отаке якесь якщо можливо ласкаво буде не знаю нічого знайшов знайшла шукав
    шукала хай дорогі друже шановне панство українською двома словами
    """,
)
COURTESIES = (GERMAN, ENGLISH, FRENCH, PORTUGUESE, UKRAINIAN)

# words by which a question begins that a frame leads to without a comma
ASKING = frozenset(
    """
    wer wen wem wessen was wann wo wohin woher warum weshalb wieso wie wieviel wieviele welche welcher
    welches welchen welchem wofür womit woran worauf woraus worin worüber worum wovon wozu wodurch
    wogegen wobei ob who whom whose what when where why how which whether if qui quoi quand où comment
    pourquoi combien quel quelle quels quelles lequel laquelle ce si quem quando onde como porque quê
    qual quais quanto quanta quantos quantas se хто кого кому ким що чого коли де куди звідки чому
    навіщо як який яка яке які якого якої якому якій яким якою яких якими скільки чи чий чия чиє чиї
    """.split()
)
PREPOSITIONS = frozenset(
    """
    an auf aus bei bis für gegen in im mit nach seit um unter über von vor wegen zu zwischen at by for
    from of on since to under until with à de d en dans depuis pour par avec sur em no na com desde por
    para sobre у в з із від до на про за через
    """.split()
)

# whoever asks and whoever is asked: no article of the dossier is about them
SPEAKERS = frozenset(
    """
    ich mir mich mein meine meinen meinem meiner du dir dich dein deine deinen euch i me my you your je
    j moi mon vous eu mim meu minha você vocês я мені мене мій моя моє ви вам вас ти тобі тебе
    """.split()
)
ADDRESS = frozenset({"Sie", "Ihnen", "Ihr", "Ihre", "Ihren", "Ihrem", "Ihrer"})
EVERY_WORD = frozenset().union(*(courtesy.words for courtesy in COURTESIES))
