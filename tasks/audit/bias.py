"""Bias: which people a corpus speaks of, in what company, and what models make of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from schemas.audit import Group, Section
from tasks.audit.bias_attributes import attribute_section, overall_p_values, overall_section
from tasks.audit.bias_classifier import train_judge
from tasks.audit.bias_company import Company, attributes, keep_company
from tasks.audit.bias_company_report import label_section
from tasks.audit.bias_counterfactual import counterfactual_section, swap_sample, too_few
from tasks.audit.bias_groups import groups_section, represent
from tasks.audit.bias_intersections import cross, intersections_section
from tasks.audit.bias_mitigation import mitigation_section
from tasks.audit.bias_professions import professions_section
from tasks.audit.bias_sentiment import p_values, sentiment, sentiment_section
from tasks.audit.bias_study import Study, study
from tasks.audit.corpus import Corpus
from tasks.bias.association import control_false_discoveries
from tasks.bias.counterfactual import PairScorer
from tasks.bias.intersections import Intersections
from tasks.bias.representation import Representation
from tasks.bias.sentiment import SentimentGap


def measure(
    *,
    corpus: Corpus,
    reference: Corpus | None,
    target: Mapping[str, Mapping[str, float]] | None,
    scorer: PairScorer | None,
) -> Section:
    """Measure the bias of a corpus, of a label classifier fitted to it and of a generator.

    All tests of representation, association (labels, attributes, intersections) and sentiment share
    one false discovery rate of 5 %.

    Args:
        corpus: What is audited.
        reference: Real data; as many of its rows as the corpus has give the baselines.
        target: Weights of groups by axis ("gender": {"female": 1, "male": 1}); an axis without
            one is compared with equal shares.
        scorer: Pairs of a prompt ("" for none) and a continuation to log p(continuation | prompt);
            asked for at most 500 texts and their swaps, and for 492 pronouns.

    Raises:
        ValueError: If the target names an unknown axis or group, or has no weight above 0.
    """
    studied = study(corpus)
    label = _labels(studied)
    found = _Found(
        shares=represent(studied, target),
        label=label,
        crossed=None if label is None else cross(studied, label),
        columns=attributes(studied),
        gaps=sentiment(studied),
    )
    beside = None if reference is None else study(reference.sample(len(corpus), key="bias"))
    sample = swap_sample(studied)
    judge = train_judge(corpus, reference, sample.rows) if sample.rows.texts else too_few(sample)
    return Section.joined(
        Group.BIAS,
        [
            *_tested(studied, found, beside=beside, target=target),
            counterfactual_section(sample, judge=judge, scorer=scorer),
            professions_section(scorer),
            mitigation_section(studied, label, sample),
        ],
    )


@dataclass(frozen=True)
class _Found:
    """What was counted, before all tests are judged together."""

    shares: list[Representation]
    label: Company | None
    crossed: Intersections | None
    columns: list[Company]
    gaps: dict[str, list[SentimentGap]]


def _tested(
    studied: Study,
    found: _Found,
    *,
    beside: Study | None,
    target: Mapping[str, Mapping[str, float]] | None,
) -> list[Section]:
    label, crossed = found.label, found.crossed
    every = [*([] if label is None else [label]), *found.columns]
    q_shares, q_label, q_crossed, q_gaps, q_overall, *q_columns = control_false_discoveries(
        [
            np.array([np.nan if x.p_value is None else x.p_value for x in found.shares]),
            np.zeros(0) if label is None else label.associations.p_value,
            np.zeros(0) if crossed is None else crossed.associations.p_value,
            p_values(found.gaps),
            overall_p_values(studied, every),
            *(column.associations.p_value for column in found.columns),
        ]
    )
    shares, labels, gaps = None, None, None
    if beside is not None:
        shares, labels = (beside, represent(beside, target)), _labels(beside)
        gaps = sentiment(beside)
    sections = [
        groups_section(
            studied, found.shares, q_values=q_shares.tolist(), baseline=shares, target=target
        ),
        label_section(studied, label, q_values=q_label, baseline=labels),
        overall_section(studied, every, q_values=q_overall),
        attribute_section(studied, found.columns, q_values=q_columns),
        sentiment_section(found.gaps, q_values=q_gaps, baseline=gaps),
    ]
    if label is not None and crossed is not None:
        sections.append(intersections_section(studied, label, crossed, q_values=q_crossed))
    return sections


def _labels(studied: Study) -> Company | None:
    if studied.labels is None:
        return None
    codes, names = studied.labels
    return keep_company(studied, "label", codes=codes, values=names)
