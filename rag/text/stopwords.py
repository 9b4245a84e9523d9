"""Function words by language: they carry no topic, and they tell the language of a question."""

GERMAN = frozenset(
    """
    aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes
    auch auf aus bei beim bin bis bist da dabei dadurch dafür dagegen daher dahin damit danach daran
    darauf daraus darin darüber darum das dass dasselbe davon davor dazu dein deine deinem deinen
    deiner dem demselben den denen denn denselben der deren derer derselbe derselben des deshalb
    desselben dessen die dies diese dieselbe dieselben diesem diesen dieser dieses doch dort du durch
    ein eine einem einen einer eines einig einige einigem einigen einiger einiges einmal er es etwas
    euch euer eure für gegen gibt habe haben hat hatte hatten hattest hier hin hinter ich ihm ihn
    ihnen ihr ihre ihrem ihren ihrer ihres im in indem ins ist ja je jede jedem jeden jeder jedes jene
    jenem jenen jener jenes jetzt kann kein keine keinem keinen keiner keines könne können könnte
    könnten laut ließ man manche manchem manchen mancher manches mein meine meinem meinen meiner mich
    mir mit muss musste müssen müsste nach nachdem neben nein noch nun nur ob oder ohne sehr sei seien
    sein seine seinem seinen seiner seines seit selbst sich sie sind so solche solchem solchen solcher
    solches soll sollen sollte sollten sondern sonst über um und uns unser unsere unter vom von vor
    während wann war waren warum was weil welche welchem welchen welcher welches wem wen wenn wer
    werde werden wessen weshalb wie wieder wieso wieviel will wir wird wo wobei wodurch wofür wogegen
    woher wohin womit woran worauf woraus worin worüber worum wovon wozu wollen wollte worden wurde
    wurden würde würden zu zum zur zwar zwischen bzw etwa mal oft viel viele vielen wäre wären bereits
    """.split()
)

ENGLISH = frozenset(
    """
    a about above after again against all also am an and any are as at be because been before being
    below between both but by can could did do does doing down during each few for from further had has
    have having he her here hers herself him himself his how i if in into is it its itself just me more
    most much many my no nor not now of off on once one only or other our ours out over own per s same
    she should so some such t than that the their theirs them then there these they this those through
    to too under until up upon us very was we were what when where which while who whom whose why will
    with would you your yours according shall may might must exactly tell please
    themselves ourselves yourself myself d ll m re ve don didn doesn isn aren wasn weren hasn haven hadn won
    wouldn couldn shouldn
    """.split()
)

FRENCH = frozenset(
    """
    à a au aux avec avait ce ceci cela celle celles celui ces cet cette ceux chaque ci comment combien
    d dans de depuis des dont donc du duquel elle elles en encore entre est et étaient était été être eu
    eut fait furent fut grâce il ils j je jusqu l la laquelle le lequel les lesquelles lesquels leur
    leurs lors lui ma mais me même mes moins mon n ne ni nos notre nous on ont ou où par parce pas
    pendant plus plusieurs pour pourquoi qu quand que quel quelle quelles quels qui quoi quelqu s sa
    sans se selon sera ses si son sont sous sur ta tes ton tous tout toute toutes très tu un une vers
    vos votre vous y c m t avoir serait seraient va vont allait durant dès tel telle tels
    environ notamment également via or
    """.split()
)

PORTUGUESE = frozenset(
    """
    a à ao aos aquela aquele as às até com como da das de dela dele deles delas depois desde do dos e é
    ela elas ele eles em entre era eram essa esse esta está estão este eu foi foram há isso isto já la
    lhe mais mas me mesmo meu muito na nas nem no nos não nossa nosso o onde os ou para pela pelas pelo
    pelos por porque porquê qual quais quando quanta quantas quanto quantos que quê quem se sem ser
    cada ali tendo disso cerca salvo caso
    seria será serão vai vão ia
    seu seus sido só sobre sua suas são também te tem têm teve tinha um uma umas uns você
    """.split()
)

UKRAINIAN = frozenset(
    """
    буде будуть
    а або але без би був була були було бути в вам вас ваш вже ви від він вона вони воно все всі да де
    для до ж за з зі із й його йому її їй їм їх є і інший к каже коли котрий кого кому ким куди ли між
    мені ми може на над нам нас наш не ні ними них ну о об один однак от по під після перед при про саме
    свій своє своїх себе та так такий також там те ти тим то тобто тоді той тому тут у усі хоча хто це
    цей ця ці чи чиї через чим чому що щоб щодо як яка яке який якими яких якій які яку якого якому
    якою яким скільки навіщо звідки які-небудь
    """.split()
)

BY_LANGUAGE = {"de": GERMAN, "en": ENGLISH, "fr": FRENCH, "pt": PORTUGUESE, "uk": UKRAINIAN}

# words by which a question asks rather than what it asks about
CARRIERS = frozenset(
    """
    abgeben angeben ansehen antworten äußern bedeuten bedeutung begründen beispiel bekommen benennen
    beschreiben beschrieb betreffen beurteilen bewerten bewertung bezeichnen bleiben bringen brachte
    darstellen dauern denken einschätzen einschätzung enthalten ergeben erhalten erklären erwähnen
    erzählen finden führen funktionieren geben gehen gehören gelten geschehen glauben grund halten
    handeln heißen hoch hängen insgesamt kommen lauten liegen machen meinen meinung nennen passieren
    person personen rolle sagen schildern sehen sprechen spielen stehen stellen stimmen
    teilen tun urteilen vorkommen verstehen wissen zeigen gesagt gemacht genau konkret eigentlich
    tatsächlich ungefähr verschieden einzelne weitere art weise frage thema jahreszahl anzahl zahl
    name namen ansicht sicht aussage behaupten leute mensch ding sache genannt heißt
    say said tell mean think describe call name role part kind type happen become make give take get go come
    people person thing many show explain state regard consider known mention happened called named
    """.split()
)

# words for the dossier itself: every article is one
DOSSIER_WORDS = frozenset(
    """
    artikel artikeln artikels bericht berichte berichten berichts text texte texten texts dossier
    kommentar kommentare kommentars autor autoren autors zeitung zeitungen presseberichte quelle
    quellen laut zufolge article articles report reports text texts author authors source sources
    article articles rapport artigo artigos texto стаття статті статтях стаття текст
    """.split()
)
