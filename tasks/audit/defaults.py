"""Gates that an audit has without a gates file: every bound that can block or ask to mend.

They hold for labelled and unlabelled texts of any task: what a dataset lacks (labels, splits, a
reference) leaves the gate unmeasured, and nothing is held against the dataset. The bounds were
set beside real sets: banking77, clinc150, snips, SST-2, and SuperGen's synthetic SST-2.
"""

from collections.abc import Mapping
from types import MappingProxyType

from schemas.bounds import Bound
from tasks.audit.bounds import Allowed, Excess, Gate, Multiple

_ALLOWED = Allowed()
_BROKEN = Bound(warn_above=0.001, fail_above=0.05)
_UNTIDY = Bound(warn_above=0.001)
_NONE = Bound(warn_above=0)
_FEW_TEXTS = 50

_SHAPE = {
    "null_rate": Gate("A row in a thousand is a slip; one in twenty a broken export.", _BROKEN),
    "empty_rate": Gate(
        "A row in a thousand is a slip; one in twenty a broken generator.", _BROKEN, _ALLOWED
    ),
    "null_label_rate": Gate(
        "A row in a thousand is a slip; one in twenty a broken join.", _BROKEN, _ALLOWED
    ),
    "mojibake_rate": Gate(
        "banking77, clinc150 and SST-2 have none; one row in twenty was read in a wrong encoding.",
        _BROKEN,
        _ALLOWED,
    ),
    "lost_character_rate": Gate(
        "What is lost cannot be mended later: one row in twenty is to be read again.",
        _BROKEN,
        _ALLOWED,
    ),
    "control_character_rate": Gate(
        "No text that people write has them; one in twenty is a broken file.", _BROKEN, _ALLOWED
    ),
    "invisible_character_rate": Gate(
        "They split words unseen; some scripts need a few, which the reference shows.",
        _BROKEN,
        _ALLOWED,
    ),
    "html_entity_rate": Gate(
        "Easily mended, so it never blocks: SuperGen has 0.8 %, sets written by hand none.",
        _UNTIDY,
        _ALLOWED,
    ),
    "template_rate": Gate(
        "Parts of a prompt are learnt as words; some real texts look the same.", _UNTIDY, _ALLOWED
    ),
    "markup_rate": Gate("Easily stripped, so it never blocks.", _UNTIDY, _ALLOWED),
    "list_number_rate": Gate("Easily stripped, so it never blocks.", _UNTIDY, _ALLOWED),
    "meta_rate": Gate(
        "One refusal in a thousand is learnt as an answer; one in twenty is a failed run.",
        _BROKEN,
        _ALLOWED,
    ),
    "example_echo_rate": Gate(
        "Of real questions 3.7 % hold one of 3,080 others; beside real rows a thousandth more.",
        Bound(warn_above=0.05),
        Excess(Bound(warn_above=0.001)),
    ),
    "too_short_rate": Gate(
        "One in two hundred real texts is as short; four times that is another kind of text.",
        Bound(warn_above=0.02),
        _ALLOWED,
    ),
    "too_long_rate": Gate(
        "One in two hundred real texts is as long; four times that is another kind of text.",
        Bound(warn_above=0.02),
        _ALLOWED,
    ),
    "language_share": Gate(
        "Of short English texts 0.7 % are taken for another language; below half is another set.",
        Bound(warn_below=0.98, fail_below=0.5),
        _ALLOWED,
        asked="language",
    ),
    "label_balance": Gate(
        "One row in ten under another label than was asked for.", Bound(warn_below=0.9)
    ),
    "attribute_balance": Gate(
        "One row in ten with another value than was asked for.", Bound(warn_below=0.9)
    ),
}
_FLUENCY_AND_DIVERSITY = {
    "repetitive_share": Gate(
        "Real sets have below 0.02 % of texts that go round in circles.",
        Bound(warn_above=0.01),
        _ALLOWED,
    ),
    "vendi_score": Gate(
        "Fifty texts that amount to two say one thing; half the variety of real texts is little.",
        Bound(fail_below=2),
        Multiple(Bound(warn_below=0.5)),
        fewest=_FEW_TEXTS,
    ),
    "opening_3_top_share": Gate(
        "One text in four with the same three first words is a template.",
        Bound(warn_above=0.25),
        _ALLOWED,
        fewest=_FEW_TEXTS,
    ),
}
_DUPLICATES = {
    "duplicate_rate": Gate(
        "Beyond one row in a hundred copies weigh; a set of mostly copies is a broken run.",
        Bound(warn_above=0.01, fail_above=0.5),
        _ALLOWED,
    ),
    "near_duplicate_rate": Gate(
        "Requests are alike by chance (2 to 3 % in banking77, clinc150, snips); SuperGen has 57 %.",
        Bound(warn_above=0.05),
        _ALLOWED,
    ),
    "conflicting_label_rate": Gate(
        "One text in a hundred under two labels cannot be learnt.",
        Bound(warn_above=0.01),
        _ALLOWED,
    ),
    "split_overlap_rate": Gate(
        "A test of which one row in a hundred was learnt by heart is a point too good.",
        Bound(warn_above=0.01),
    ),
    "near_split_overlap_rate": Gate(
        "One held-out row in twenty with a near duplicate elsewhere makes a test easier.",
        Bound(warn_above=0.05),
    ),
}
_LABELS = {
    "label_noise": Gate(
        "Careful sets have below 1 % of wrong labels; five in a hundred teach mistakes.",
        Bound(warn_above=0.02, fail_above=0.05),
    ),
    "label_giveaways": Gate(
        "One n-gram gives away 7 % (SST-2) to 92 % (snips) of real labels; all is a pattern.",
        Bound(warn_above=0.95),
        Excess(Bound(warn_above=0.1)),
    ),
    "label_name_leak": Gate(
        "How often real texts name their label depends on the task: only a reference can tell.",
        None,
        Excess(Bound(warn_above=0.1)),
    ),
}
_FIDELITY = {
    "two_sample_auc": Gate(
        "A classifier that ranks nine pairs in ten rightly has found a habit of the generator.",
        Bound(warn_above=0.9),
    ),
    "mauve": Gate(
        "Halves of real sets have 0.96 to 0.97, SuperGen beside SST-2 0.007.",
        Bound(warn_below=0.1),
        _ALLOWED,
    ),
    "missing_word_share": Gate(
        "Real halves differ by the baseline; another 15 % of the words is a missing subject.",
        None,
        Excess(Bound(warn_above=0.15)),
    ),
    "unknown_word_share": Gate(
        "Real halves differ by the baseline; another 15 % of the words is another subject.",
        None,
        Excess(Bound(warn_above=0.15)),
    ),
    "label_share_distance": Gate(
        "Fifteen rows in a hundred under another label than the reference has.",
        None,
        Excess(Bound(warn_above=0.15)),
    ),
    "nearest_rouge_l": Gate(
        "Another part of one real set is as like it; at four fifths of that it is another subject.",
        None,
        Multiple(Bound(warn_below=0.8)),
    ),
    "length_ks": Gate(
        "A gap of 0.3 between the cumulative lengths: a third of the texts has another length.",
        None,
        Excess(Bound(warn_above=0.3)),
    ),
}
_PRIVACY_AND_CONTAMINATION = {
    **{
        f"copies_of_{of}": Gate(
            "Short phrases meet by chance, as those of the holdout show; one row in twenty is "
            "no generator.",
            Bound(warn_above=0.001, fail_above=0.05),
            _ALLOWED,
        )
        for of in ("reference", "examples")
    },
    **{
        f"near_copies_of_{of}": Gate(
            "Short questions of one domain are alike by chance, as those of the holdout show.",
            Bound(warn_above=0.05),
            _ALLOWED,
        )
        for of in ("reference", "examples")
    },
    **{
        f"passages_of_{of}": Gate(
            "Fixed phrases recur; eight words in a row in one row of twenty are remembered.",
            Bound(warn_above=0.05),
            _ALLOWED,
        )
        for of in ("reference", "examples")
    },
    "closer_to_reference": Gate(
        "Half the rows are closer by chance; 55 % is beyond what a random split explains.",
        Bound(warn_above=0.55),
    ),
    **{
        f"{kind}_rate": Gate(
            "Whose it is did not ask to be learnt by heart: one is too many.", _NONE
        )
        for kind in ("email", "phone", "iban", "card", "url_credentials")
    },
    "copied_personal_data_rate": Gate(
        "Real people's data were given away: one is too many.", _NONE
    ),
    "copied_holdout_rows": Gate(
        "Short texts meet by chance (SST-2 has 0.1 %); one in a hundred moves a score by a point.",
        Bound(warn_above=0.002, fail_above=0.01),
    ),
    "near_copied_holdout_rows": Gate(
        "SuperGen has none of SST-2; beside their own test sets snips has 20 %, banking77 40 %.",
        Bound(warn_above=0.05, fail_above=0.5),
    ),
    "holdout_rows_sharing_13_words": Gate(
        "Of long rows banking77 shares 3 % with its own test set, copies included.",
        Bound(warn_above=0.05),
    ),
}
_SAFETY = {
    "slur_rate": Gate(
        "snips and SST-2 have 0.015 %; a set that teaches to detect them has a like reference.",
        Bound(warn_above=0.0005),
        _ALLOWED,
    ),
    "strong_profanity_rate": Gate(
        "Real sets of requests and reviews have up to 0.04 %.", Bound(warn_above=0.001), _ALLOWED
    ),
    "prompt_injection_rate": Gate("One row is enough to be obeyed.", _NONE, _ALLOWED),
    "hidden_text_rate": Gate("Whoever checks the rows does not see it.", _NONE, _ALLOWED),
    "toxicity_rate": Gate(
        "Classifiers take one harmless text in a hundred for toxic.",
        Bound(warn_above=0.01),
        _ALLOWED,
    ),
}
_BIAS = {
    "bias_preferred_rows": Gate(
        "Topics alone (accents, vaccines, cuisines) make 0.9 % of banking77, 2.5 % of clinc150.",
        Bound(warn_above=0.03),
    ),
}

DEFAULT_GATES: Mapping[str, Gate] = MappingProxyType(
    _SHAPE
    | _FLUENCY_AND_DIVERSITY
    | _DUPLICATES
    | _LABELS
    | _FIDELITY
    | _PRIVACY_AND_CONTAMINATION
    | _SAFETY
    | _BIAS
)
"""By metric. Of bias one has a bound: the other findings rest on tests of significance alone."""
