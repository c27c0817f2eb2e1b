"""English contractions and what they stand for."""

_NOT = {
    "aren't": "are not", "can't": "cannot", "couldn't": "could not", "didn't": "did not",
    "doesn't": "does not", "don't": "do not", "hadn't": "had not", "hasn't": "has not",
    "haven't": "have not", "isn't": "is not", "mightn't": "might not", "mustn't": "must not",
    "needn't": "need not", "oughtn't": "ought not", "shan't": "shall not",
    "shouldn't": "should not", "wasn't": "was not", "weren't": "were not", "won't": "will not",
    "wouldn't": "would not",
}  # fmt: skip
_PRONOUNS = ("i", "you", "he", "she", "it", "we", "they")
_THIRD = ("he", "she", "it", "that", "there", "who", "what", "where", "how", "when", "why", "here")
_OTHERS = {
    "let's": ("let us",), "y'all": ("you all",), "ma'am": ("madam",), "o'clock": ("of the clock",),
    "could've": ("could have",), "should've": ("should have",), "would've": ("would have",),
    "might've": ("might have",), "must've": ("must have",), "that'll": ("that will",),
    "that'd": ("that would",), "who'll": ("who will",), "who'd": ("who would",),
    "what'll": ("what will",), "what're": ("what are",), "there'll": ("there will",),
    "there'd": ("there would",), "this'll": ("this will",), "gonna": ("going to",),
    "wanna": ("want to",), "gotta": ("got to",), "gimme": ("give me",), "lemme": ("let me",),
    "kinda": ("kind of",), "sorta": ("sort of",), "dunno": ("do not know",),
}  # fmt: skip
_NEVER_MADE = ("o'clock", "dunno")


def _expanded() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {short: (long,) for short, long in _NOT.items()}
    for word in _PRONOUNS:
        table[f"{word}'ll"] = (f"{word} will",)
        table[f"{word}'d"] = (f"{word} would", f"{word} had")
    for word in ("i", "you", "we", "they"):
        table[f"{word}'ve"] = (f"{word} have",)
    for word in ("you", "we", "they"):
        table[f"{word}'re"] = (f"{word} are",)
    for word in _THIRD:
        table[f"{word}'s"] = (f"{word} is",)
    return {**table, "i'm": ("i am",), **_OTHERS}


def _contracted() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for short, longs in EXPANDED.items():
        for long in longs if short not in _NEVER_MADE else ():
            table[long] = (*table.get(long, ()), short)
    return {**table, "can not": ("can't",)}


EXPANDED: dict[str, tuple[str, ...]] = _expanded()
"""What each contraction, in lower case, may stand for."""
CONTRACTED: dict[str, tuple[str, ...]] = _contracted()
"""How one word or two, in lower case, may be contracted."""
