"""What training on a synthetic set is worth: students tested on real rows, beside baselines."""

from typing import Literal

from pydantic import Field

from schemas.audit import Estimate
from schemas.base import Frozen

SCHEMA_VERSION = 1

StudentName = Literal["tstr", "trtr", "both", "majority", "trts"]
"""`tstr`: trained on synthetic, tested on real; `trtr`: trained on real; `both`: trained on both;
`majority`: always the commonest label of the test set; `trts`: trained on real, tested on
synthetic. TSTR and TRTS are named as in Esteban et al. 2017, https://arxiv.org/abs/1706.02633."""


class Terms(Frozen):
    """How an evaluation is done."""

    student: str = "linear"
    """`linear`, or the folder of an encoder of transformers."""
    seed: int = Field(default=0, ge=0, le=999_999_999)
    """The first seed: of subsamples, of resampling, and of a student that draws lots."""
    num_seeds: int = Field(default=3, ge=1, le=20)
    """How many seeds, counted up from the first."""
    at_least: float | None = Field(default=None, ge=0, le=2)
    """What the macro-F1 of the synthetic student has to reach: this part of that of the student
    trained on the real training set, or, when there is none, this macro-F1 itself."""
    keep_copies: bool = False
    """Train on rows that repeat a test row too."""


class StudentKind(Frozen):
    """What kind of classifier learnt, and how."""

    name: str
    """`linear`, or the name of the encoder's folder."""
    settings: dict[str, str | int | float]
    """Everything that its figures depend on."""


class EvaluatedData(Frozen):
    """A dataset that was read: every row of it is used or counted as left out."""

    role: Literal["synthetic", "train", "test"]
    """What it was given as."""
    path: str
    """Name of the file or folder, without where it lies."""
    text: str
    """Column of the texts."""
    label: str
    """Column of the labels."""
    rows: int = Field(ge=0)
    """Rows read."""
    used: int = Field(ge=0)
    """Rows trained on, or tested on."""
    blank: int = Field(ge=0)
    """Left out: rows without a text."""
    unlabelled: int = Field(ge=0)
    """Left out: rows without a label."""
    other_labels: int = Field(ge=0)
    """Left out: rows of labels that the test set lacks, which nothing could be held against."""
    removed_copies: int = Field(ge=0)
    """Left out: rows that repeat a text of the test set."""
    not_drawn: int = Field(ge=0)
    """Left out: rows beyond the most that a student learns from."""
    copies: int = Field(ge=0)
    """Rows that repeat a text of the test set, removed or not; of the test set, 0."""
    unknown_labels: tuple[str, ...] = ()
    """Labels that the test set lacks, the first 100 by name."""
    unknown_labels_left_out: int = Field(default=0, ge=0)
    """How many more there are."""
    missing_labels: tuple[str, ...] = ()
    """Labels of the test set that this one lacks: its student can never name them."""


class LabelScore(Frozen):
    """How well one label was told from the others."""

    label: str
    """Its name."""
    n: int = Field(ge=0)
    """Rows of it among those tested."""
    precision: Estimate | None
    """Share of the rows given this label that have it, with its Wilson interval; null when no row
    was given it."""
    recall: Estimate
    """Share of its rows that were given it, with its Wilson interval."""
    f1: float
    """Harmonic mean of both; 0 when no row was rightly given it."""


class Confusion(Frozen):
    """Rows of one label that were given another."""

    label: str
    """Their label."""
    given: str
    """The label that they were given."""
    rows: int = Field(ge=1)
    """How many."""


class SeedScore(Frozen):
    """What a student of one seed reached."""

    seed: int
    """The seed."""
    accuracy: float
    """Share of rows given their label."""
    macro_f1: float
    """Mean of the labels' F1."""


class Score(Frozen):
    """One kind of student, tested."""

    name: StudentName
    """What it was trained and tested on."""
    rows: int = Field(ge=0)
    """Rows that it learnt from."""
    accuracy: Estimate
    """Share of rows given their label, mean over the seeds; interval by resampling test rows
    and seeds."""
    macro_f1: Estimate
    """Mean of the F1 of the tested labels, mean over the seeds; interval alike."""
    above_chance: Estimate
    """Macro-F1 minus what the same answers, dealt to the rows at random, reach on average: 0 is
    what a student reaches that learnt nothing, whatever labels it favours."""
    calibration_error: float | None
    """Expected calibration error, mean over the seeds; null where nothing has a confidence."""
    seeds: tuple[SeedScore, ...]
    """One a seed; of a student that draws no lots, one."""
    labels: tuple[LabelScore, ...]
    """Of the first seed, in the order of the names."""
    confusions: tuple[Confusion, ...]
    """Of the first seed: pairs of labels confused most often, most often first."""
    confusions_left_out: int = Field(default=0, ge=0)
    """Pairs confused less often than those listed."""


class Difference(Frozen):
    """One student held against another on the same test rows."""

    name: StudentName
    """The student in question."""
    baseline: StudentName
    """The one that it is held against."""
    accuracy: Estimate
    """Its accuracy minus the other's; interval by resampling test rows, the same
    for both, and seeds."""
    macro_f1: Estimate
    """The same of macro-F1."""
    only_right: int = Field(ge=0)
    """Test rows that only the student in question gave their label (first seed)."""
    only_wrong: int = Field(ge=0)
    """Test rows that only the other one gave their label (first seed)."""
    mcnemar: float = Field(ge=0, le=1)
    """p-value of the exact McNemar test: how likely chance splits those rows so unevenly."""


class CurvePoint(Frozen):
    """What students reached that learnt from a part of the real training set."""

    rows: int = Field(ge=1)
    """Rows of the part."""
    accuracy: Estimate
    """Mean over the seeds, with its interval by resampling test rows and seeds."""
    macro_f1: Estimate
    """The same of macro-F1."""
    seeds: tuple[SeedScore, ...]
    """One a seed: each drew another part."""


class Worth(Frozen):
    """How many real rows a student would have to learn from to do as well as the synthetic one.

    That is where the learning curve, made monotone, reaches the synthetic student's macro-F1.
    """

    rows: int | None
    """The number; null where it lies outside the curve."""
    beyond: Literal["fewer", "more"] | None
    """`fewer` than the least rows of the curve, `more` than the most; null inside."""
    low: int
    """Lower bound of the 95 % interval; 0 where it lies below the curve, and the most rows of the
    curve where it lies above."""
    high: int | None
    """Upper bound; null where it lies above the curve, the least rows where it lies below."""
    smallest: int
    """Least rows of the curve."""
    largest: int
    """Most rows of the curve."""


class Evaluation(Frozen):
    """Is a synthetic set worth training on: the content of `evaluation.json`."""

    schema_version: int = SCHEMA_VERSION
    """Grows when a key changes its meaning or goes."""
    name: str
    """Name of the synthetic set."""
    created: str
    """UTC, ISO 8601."""
    corpusmith: str
    """Version that measured."""
    student: StudentKind
    """Who learnt."""
    seed: int
    """The first seed."""
    num_seeds: int
    """How many."""
    resamples: int
    """Bootstrap samples behind each interval."""
    inputs: tuple[EvaluatedData, ...]
    """The synthetic set, the real training set if there is one, the test set."""
    notes: tuple[str, ...]
    """What a reader has to know before believing the figures."""
    scores: tuple[Score, ...]
    """The synthetic student first."""
    differences: tuple[Difference, ...]
    """Students against each other."""
    curve: tuple[CurvePoint, ...] = ()
    """By growing rows; empty without a real training set."""
    worth: Worth | None = None
    """Null without a real training set."""
    relative: float | None
    """Macro-F1 of the synthetic student over that of the real one; null without the latter, or when
    that is 0."""
    at_least: float | None
    """The bound that was asked for; null when none was."""
    passed: bool | None
    """Whether the bound holds; null when none was asked for."""

    def score(self, name: StudentName) -> Score | None:
        """Return the score of a kind of student; None where there was none."""
        return next((one for one in self.scores if one.name == name), None)

    def difference(self, name: StudentName, baseline: StudentName) -> Difference | None:
        """Return one student held against another; None where that was not done."""
        pairs = (one for one in self.differences if (one.name, one.baseline) == (name, baseline))
        return next(pairs, None)

    def data(self, role: Literal["synthetic", "train", "test"]) -> EvaluatedData | None:
        """Return the dataset of a role; None where it was not given."""
        return next((one for one in self.inputs if one.role == role), None)
