"""Profanity and slurs in English: what counts as strong, what as mild, and what is left out.

Left out are words that mean something harmless more often than not: names (Dick), animals
(pussy cat, Maine Coon), places and plants (dyke, kaffir lime), teams, verbs (to prick), faith
(hell). Of some a phrase is unmistakable, and stands here. Spellings that hide a letter ("f*ck") are
listed as people write them; matching reads the two words that they consist of. A list knows no
context: a text that quotes a word, or speaks about it, is found as well.
"""

from dataclasses import dataclass
from typing import Literal

VERSION = "1"
"""Changes with every change of a list, for figures under two versions do not compare."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A word or phrase.

    Args:
        phrase: As `find_phrases` takes it.
        kind: A slur degrades a group of people; profanity is the rest.
        severity: Would it pass in a newspaper's quote unmasked (mild) or not (strong)?
    """

    phrase: str
    kind: Literal["profanity", "slur"]
    severity: Literal["strong", "mild"]


_STRONG_PROFANITY = """
fuck, fucks, fucked, fucker, fuckers, fuckin, fucking, fuckhead, fuckface, fuckwit, fuckup,
motherfuck, motherfucker, motherfuckers, motherfuckin, motherfucking, clusterfuck, mindfuck,
unfuckingbelievable, fuk, fukin, fuking, fck, fcking, fvck, phuck, f*ck, f*cks, f*cked, f*cker,
f*cking, motherf*cker, wtf, stfu, gtfo, omfg,
shit, shits, shitted, shitting, shitty, shithead, shithole, shitshow, shitstorm, shite, shitless,
bullshit, horseshit, batshit, apeshit, dipshit, sh*t, sh*tty, bullsh*t, sh1t, bullsh1t,
cunt, cunts, c*nt, cocksucker, cocksuckers, cocksucking, suck my cock, suck my dick, suck a dick,
dickhead, dickheads, asshole, assholes, assh0le, arsehole, arseholes, asshat, asswipe, ass wipe,
bitch, bitches, bitching, bitchy, b*tch, b*tches, b1tch, biatch, sonofabitch,
twat, twats, wanker, wankers, whore, whores, slut, sluts, slutty, skank, skanky, cumshot, jizz,
blowjob, blowjobs, blow job, handjob, hand job, jerk off, jerking off, jack off, jacking off,
gangbang, deepthroat, milf
"""
_MILD_PROFANITY = """
damn, damned, damnit, dammit, goddamn, goddamned, goddammit, crap, crappy, ass, asses,
badass, dumbass, jackass, smartass, arse, arses, bastard, bastards, bloody hell,
what the hell, who the hell, why the hell, how the hell, where the hell, go to hell, hell no,
piss, pissed, pissing, piss off, pisses, bollocks, bugger off, sod off, tosser, tossers, wank,
turd, turds, douche, douchebag, douchebags, titties, boobs, screw you, frigging, friggin,
dick move, bullcrap, lmfao
"""
_STRONG_SLURS = """
nigger, niggers, nigga, niggas, nigg3r, n*gger, sand nigger, kike, kikes, wetback,
wetbacks, beaner, beaners, gook, gooks, ching chong, zipperhead, paki, pakis, raghead, ragheads,
towelhead, towelheads, camel jockey, jungle bunny, porch monkey, pickaninny, darkie, darkies, wog,
wogs, heeb, sheeny, kaffirs, faggot, faggots, faggy, f*ggot, shemale, shemales, trannies
"""
_MILD_SLURS = """
retard, retards, retarded, libtard, libtards, fag, fags, lesbo, lesbos, tranny, spaz, mongoloid,
gyppo, gyppos, gypped, half breed, chinaman, polack, polacks, honky, jap, japs, yid,
injun, injuns, slant eyed, white trash, feminazi, feminazis
"""


def _entries(
    phrases: str, kind: Literal["profanity", "slur"], severity: Literal["strong", "mild"]
) -> list[Entry]:
    return [Entry(phrase, kind, severity) for phrase in " ".join(phrases.split()).split(", ")]


LEXICON: tuple[Entry, ...] = (
    *_entries(_STRONG_SLURS, "slur", "strong"),
    *_entries(_MILD_SLURS, "slur", "mild"),
    *_entries(_STRONG_PROFANITY, "profanity", "strong"),
    *_entries(_MILD_PROFANITY, "profanity", "mild"),
)
