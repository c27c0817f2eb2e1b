"""English words that sound the same in at least one common accent."""

_SETS = """
ad add | aid aide | ail ale | air heir | aisle isle i'll | all awl | allowed aloud
altar alter | ant aunt | ate eight | bail bale | bait bate | ball bawl | band banned
bare bear | baron barren | base bass | beach beech | beat beet | been bin | beer bier
bell belle | berry bury | berth birth | billed build | bite byte | blew blue | board bored
boar bore | bold bowled | bolder boulder | bough bow | boy buoy | brake break | bread bred
brews bruise | bridal bridle | broach brooch | buy by bye | capital capitol
caught court | ceiling sealing | cell sell | cellar seller | cent scent sent | cereal serial
check cheque | chews choose | chord cord cored | chute shoot | cite sight site | clause claws
close clothes | coarse course | colonel kernel | complement compliment | council counsel
creak creek | crews cruise | currant current | cygnet signet | days daze | dear deer
desert dessert | dew due | die dye | discreet discrete | doe dough | dual duel | ensure insure
faint feint | fair fare | farther father | fate fete | faze phase | feat feet | fir fur
find fined | flair flare | flea flee | flew flu flue | flour flower | for four fore
foreword forward | fort fought | forth fourth | foul fowl | frees freeze | gait gate
genes jeans | gilt guilt | gored gourd | grate great | grays graze | grease greece
grown groan | guessed guest | hail hale | hair hare | hall haul | hay hey | heal heel he'll
hear here | heard herd | hi high | higher hire | him hymn | hoard horde | hole whole
holy wholly | hour our | idle idol | in inn | its it's | jam jamb | key quay | knead need
knew new | knight night | knot not | know no | knows nose | lain lane | lead led | leak leek
lessen lesson | levee levy | liar lyre | lie lye | links lynx | load lode | loan lone
made maid | mail male | main mane | maize maze | marshal martial | mayor mare | meat meet
medal meddle | metal mettle | mind mined | miner minor | missed mist | moan mown | mode mowed
moose mousse | morning mourning | muscle mussel | mustard mustered | naval navel | none nun
oar or ore | one won | overdue overdo | paced paste | pail pale | pain pane | pair pear pare
palate palette | passed past | patience patients | pause paws | pea pee | peace piece
peak peek pique | peal peel | pedal peddle | peer pier | plain plane | pole poll
pore pour poor | pray prey | presence presents | principal principle | profit prophet
quarts quartz | rain reign rein | raise rays | rap wrap | rapped rapt | raw roar | read red
read reed | real reel | review revue | right write rite | ring wring | road rode rowed
role roll | root route | rose rows | rote wrote | rough ruff | rye wry | sail sale
sauce source | saw sore | scene seen | sea see | seam seem | seas sees seize | serf surf
sew so sow | shake sheikh | shear sheer | shoe shoo | side sighed | sighs size | slay sleigh
sole soul | some sum | son sun | stair stare | stake steak | stationary stationery
steal steel | storey story | straight strait | suite sweet | sword soared | tacks tax
tail tale | taught taut | tea tee | team teem | tear tier | tide tied | their there they're
threw through | throne thrown | thyme time | to too two | toad towed | toe tow | told tolled
vain vein vane | vale veil | wade weighed | wail whale | waist waste | wait weight | waive wave
war wore | ware wear where | warn worn | way weigh | weak week | weather whether
we'd weed | weave we've | were whirr | we'll wheel | which witch | whine wine | who's whose
wood would | yoke yolk | your you're yore
"""

HOMOPHONES: tuple[tuple[str, ...], ...] = tuple(
    tuple(words.split()) for line in _SETS.strip().splitlines() for words in line.split("|")
)
"""Sets of words, each of two or more, in lower case."""
