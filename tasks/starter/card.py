"""The figures in the model card, written from the two records so that they cannot drift."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

START = "<!-- figures: start -->"
END = "<!-- figures: end -->"


def render_figures(evaluation: Mapping[str, Any], *, training: Mapping[str, Any]) -> str:
    """Render the part of the card that states figures, in Markdown.

    Args:
        evaluation: Content of `evaluation.json`.
        training: Content of `training.json`.

    Raises:
        KeyError: If a figure is missing.
    """
    parts = (
        _training_lines(training),
        _headline_table(evaluation),
        _label_table(evaluation),
        _unseen_lines(evaluation["unseen_descriptions"]),
    )
    return "\n\n".join(parts)


def _training_lines(training: Mapping[str, Any]) -> str:
    progress, machine = training["progress"], training["hardware"]
    versions = ", ".join(f"{name} {number}" for name, number in training["versions"].items())
    return "\n".join(
        [
            "## Training run",
            "",
            f"- {training['num_parameters']:,} parameters, seed {training['settings']['seed']}, "
            f"computed in {training['precision']}.",
            f"- {progress['step']:,} steps, {progress['epoch'] + 1} epochs (the last one begun), "
            f"{progress['num_tokens']:,} tokens with padding, "
            f"{progress['num_taught_tokens']:,} of them taught.",
            f"- {progress['wall_seconds'] / 60:.1f} minutes of wall time, "
            f"{progress['cpu_seconds'] / 60:.1f} minutes of processor time "
            f"on {machine['num_cores']} cores ({machine['processor']}, {machine['device']}).",
            f"- Best held-out loss {progress['best_loss']:.4f} nats a taught token, "
            f"at step {progress['best_step']:,}; the exported weights are those of that step.",
            f"- {versions}.",
        ]
    )


def _headline_table(evaluation: Mapping[str, Any]) -> str:
    bits, judge = evaluation["bits_per_character"], evaluation["classifier"]
    quick, every = evaluation["quickstart"], evaluation["all_labels"]
    noise, unseen = evaluation["denoising"], evaluation["unseen_descriptions"]
    attributes = evaluation["attributes"]
    sampling = evaluation["sampling"]
    rows = [
        ("held-out bits a character, given the description", bits["model_given_description"]),
        ("held-out bits a character, without a description", bits["model_without_description"]),
        ("baseline: token unigram", bits["token_unigram"]),
        ("baseline: character unigram", bits["character_unigram"]),
        ("quickstart labels: agreement among all labels", quick["agreement_among_all_labels"]),
        ("quickstart labels: agreement among them", quick["agreement_among_these_labels"]),
        ("classifier on their real held-out rows", judge["heldout_accuracy_these_labels"]),
        ("all labels: agreement among all labels", every["agreement_among_all_labels"]),
        ("classifier on all real held-out rows", judge["heldout_accuracy_all_rows"]),
        ("unseen descriptions: agreement among all labels", unseen["agreement_among_all_labels"]),
        ("quickstart labels: verbatim copies of training texts", quick["copy_share"]),
        ("all labels: verbatim copies of training texts", every["copy_share"]),
        ("quickstart labels: distinct texts", quick["distinct_share"]),
        ("all labels: distinct texts", every["distinct_share"]),
        ("denoising: character error rate before", noise["character_error_rate_before"]),
        ("denoising: character error rate after", noise["character_error_rate_after"]),
        ("describing: exact share", evaluation["describing"]["exact_share"]),
        ("attribute `Form` followed", attributes["form_share"]),
        ("attribute `Length` followed", attributes["length_share"]),
    ]
    return "\n".join(
        [
            "## Figures",
            "",
            f"{quick['num_rows']:,} generated utterances over the quickstart labels and "
            f"{every['num_rows']:,} over all {every['num_labels']} labels, before any gate: "
            f"nucleus top_p {sampling['top_p']}, temperature {sampling['temperature']}, "
            f"seed {evaluation['seed']}. Shares lie in [0, 1].",
            "",
            "| measure | figure |",
            "| --- | --- |",
            *(f"| {name} | {value:.4f} |" for name, value in rows),
        ]
    )


def _label_table(evaluation: Mapping[str, Any]) -> str:
    quick, unseen = evaluation["quickstart"], evaluation["unseen_descriptions"]
    lines = [
        f"| {label} | {share:.4f} | {quick['copy_share_by_label'][label]:.4f} "
        f"| {unseen['agreement_by_label'].get(label, float('nan')):.4f} |"
        for label, share in quick["agreement_by_label"].items()
    ]
    return "\n".join(
        [
            "## Quickstart labels",
            "",
            "| label | agreement | verbatim copies | agreement, unseen description |",
            "| --- | --- | --- | --- |",
            *lines,
        ]
    )


def _unseen_lines(unseen: Mapping[str, Any]) -> str:
    lines = ["## Samples from unseen descriptions", ""]
    for description, samples in unseen["samples"].items():
        lines += [f"- *{description}*", *(f"  - {sample}" for sample in samples)]
    return "\n".join(lines)


def update_card(folder: Path) -> None:
    """Put the figures of `folder` between the two marks of its `MODEL_CARD.md`.

    Raises:
        FileNotFoundError: If the card or one of the two records is missing.
        ValueError: If the card lacks a mark.
    """
    card = folder / "MODEL_CARD.md"
    evaluation = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    training = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    text = card.read_text(encoding="utf-8")
    before, after = text.index(START) + len(START), text.index(END)
    figures = render_figures(evaluation, training=training)
    card.write_text(f"{text[:before]}\n\n{figures}\n\n{text[after:]}", encoding="utf-8")
