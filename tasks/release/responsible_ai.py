"""The responsible-AI part of the metadata: how the rows came to be, and what is known against them.

Only what the run knows is said; for what was measured it points to the report.

References:
    https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html
"""

from schemas.manifest import Manifest
from schemas.noise_mixtures import operator_kinds
from schemas.recipe import Recipe

LIMITS = (
    "A label is what the model was asked for. Texts can miss it; `report.html` says what was "
    "measured.",
    "A model repeats the habits, gaps and prejudices of the texts it learned from.",
    "Texts can state falsehoods, or name persons and firms that exist by chance.",
    "Generated text is untrusted input: escape it wherever you show it.",
    "Measure on real data before you rely on anything trained on this corpus.",
)
"""What holds for every corpus that a model wrote."""


def responsible_ai(recipe: Recipe, manifest: Manifest) -> dict[str, str | list[str]]:
    """Build the `rai:` properties of the metadata."""
    counts = manifest.rows
    strategies = ", ".join(dict.fromkeys(strategy.kind for strategy in recipe.strategies))
    return {
        "rai:dataCollection": (
            "Synthetic: no text was written or collected by a person. The model "
            f"{manifest.model.reference} answered rendered prompts, decoded by {strategies}; "
            "every row holds its prompt, strategy and seed, and recipe.yaml the whole recipe."
        ),
        "rai:dataCollectionType": ["Others"],
        "rai:dataCollectionTimeframe": [manifest.created],
        "rai:dataCollectionMissingData": (
            f"{counts.requested} rows were asked for and {counts.accepted} accepted out of "
            f"{counts.generated} candidates; manifest.json counts the rejected by reason."
        ),
        "rai:dataPreprocessingProtocol": _preprocessing(recipe),
        "rai:dataAnnotationProtocol": [
            "The label is the one that the prompt asked for, after label noise if the recipe has "
            "any. No person confirmed it."
        ],
        "rai:dataBiases": [_biases(manifest), LIMITS[1]],
        "rai:dataLimitations": [*LIMITS[:1], *LIMITS[2:]],
        "rai:personalSensitiveInformation": [_personal(manifest)],
    }


def _preprocessing(recipe: Recipe) -> list[str]:
    steps = ["Candidates that failed a row gate were rejected and tried again."]
    if recipe.noise is not None:
        kinds = ", ".join(operator_kinds(recipe.noise.steps))
        steps.append(
            f"Noise ({kinds}) was put into {recipe.noise.share:.0%} of the rows; the clean text, "
            "the label asked for and every edit are kept."
        )
    return steps


def _biases(manifest: Manifest) -> str:
    if manifest.audit is None:
        return "Not measured: the recipe leaves the audit out."
    return (
        f"Measured by an audit, whose verdict is {manifest.audit.verdict}: report.html shows "
        "representation, associations and counterfactual differences, report.json every number."
    )


def _personal(manifest: Manifest) -> str:
    texts = "Texts are invented, but can name existing persons or repeat what the model has seen."
    if manifest.audit is None:
        return f"{texts} Nobody looked for personal data."
    return f"{texts} report.html says what the audit found of personal data and copied texts."
