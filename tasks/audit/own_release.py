"""The audit of a run's own rows, before they are released: as of anyone's dataset."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.audit import Audit, Inspected
from schemas.audit_gates import AuditFile
from schemas.recipe import Recipe
from schemas.recipe_audit import RecipeAudit
from tasks.audit.corpus import Corpus
from tasks.audit.judges import Generator, Judges
from tasks.audit.reading import Choice, read_corpus
from tasks.audit.released_rows import release_shards, released_corpus
from tasks.audit.run import audit_inputs, inspected_as
from tasks.audit.sections import Inputs
from tasks.expectations.audit_suite import AuditValidation
from tasks.generation.backends import open_backend
from tasks.generation.protocol import TextScorer
from tasks.planning.workspace import Workspace
from tasks.preflight.opening import backend_of, examples_of
from tasks.prompting.examples import ExampleSet
from tasks.release.outcome import released

_CHOICE = Choice()


def audit_run(workspace: Workspace, config: RecipeAudit) -> tuple[Audit, AuditValidation]:
    """Audit the accepted rows of a run, after noise.

    Args:
        workspace: A run whose rows are arranged and noised.
        config: The recipe's wishes.

    Raises:
        InputError: If the data that the recipe names cannot be read.
    """
    recipe = workspace.facts.recipe
    corpus, num_rows = released_corpus(
        _shards(workspace, recipe),
        name=recipe.name,
        attributes=tuple(recipe.attributes),
        most_rows=config.rows,
    )
    audited = inspected_as("audited", Path(recipe.name), corpus, _CHOICE)
    if num_rows > len(corpus):
        audited = audited.model_copy(update={"drawn_from": num_rows})
    others, inspected = _others(workspace, corpus)
    previous, before = _previous(workspace, config)
    inputs = Inputs(
        corpus,
        reference=others.get("reference"),
        holdout=others.get("holdout"),
        examples=others.get("examples"),
        judges=_judges(workspace, recipe) if config.generator else Judges(),
        previous=previous,
        wishes=_wishes(recipe, config),
    )
    return audit_inputs(inputs, (audited, *inspected, *before))


def _shards(workspace: Workspace, recipe: Recipe) -> Iterator[tuple[pa.Table, NDArray[np.str_]]]:
    names = np.array(list(recipe.splits), dtype=np.str_)
    for table, splits, _ in released(workspace):
        yield table, names[splits]


def _others(
    workspace: Workspace, corpus: Corpus
) -> tuple[dict[str, Corpus], tuple[Inspected, ...]]:
    """Read what the rows are audited beside, and say where it came from."""
    others: dict[str, Corpus] = {}
    inspected: list[Inspected] = []
    for role, name in workspace.facts.audit_data.items():
        path = Path(name)
        others[role] = read_corpus(path, _CHOICE, vocabulary=corpus.vocabulary)
        inspected.append(inspected_as(role, path, others[role], _CHOICE))
    if (examples := examples_of(workspace)) is not None:
        others["examples"] = _as_corpus(examples, corpus)
        path = Path("examples")
        inspected.append(inspected_as("examples", path, others["examples"], _CHOICE))
    return others, tuple(inspected)


def _previous(
    workspace: Workspace, config: RecipeAudit
) -> tuple[Corpus | None, tuple[Inspected, ...]]:
    """Read the version before this one, as many of its rows as of this one's.

    It is None when there is none, or when it was deleted since the run began.
    """
    parent = workspace.facts.parent
    folder = workspace.folder.parent / (parent or "")
    if parent is None or not folder.is_dir():
        return None, ()
    corpus, num_rows = released_corpus(
        release_shards(folder), name=parent, attributes=(), most_rows=config.rows
    )
    inspected = inspected_as("previous", Path(parent), corpus, _CHOICE)
    if num_rows > len(corpus):
        inspected = inspected.model_copy(update={"drawn_from": num_rows})
    return corpus, (inspected,)


def _as_corpus(examples: ExampleSet, corpus: Corpus) -> Corpus:
    # Labels share one pool when examples are mixed: each text once.
    distinct = {one.text: one.label for pool in examples.pools for one in pool}
    return Corpus(
        name="examples",
        ids=[str(place) for place in range(len(distinct))],
        texts=list(distinct),
        labels=list(distinct.values()),
        vocabulary=corpus.vocabulary,
    )


def _judges(workspace: Workspace, recipe: Recipe) -> Judges:
    backend = backend_of(workspace)
    if not isinstance(backend, TextScorer):
        # What ranks candidates stands before the model.
        backend = open_backend(workspace.facts.model, folder=workspace.folder)
    told = {name: label.description for name, label in recipe.labels.items()}
    reader = Generator(backend, descriptions=told)
    return Judges(scorer=reader.score_pairs, posterior=reader.label_probabilities)


def _wishes(recipe: Recipe, config: RecipeAudit) -> AuditFile:
    return AuditFile(
        gates=recipe.gates.audit or {},
        language=recipe.language,
        labels={name: label.share for name, label in recipe.labels.items()},
        attributes={
            name: dict(
                zip(attribute.values, attribute.weights or [1] * len(attribute.values), strict=True)
            )
            for name, attribute in recipe.attributes.items()
        },
        groups=config.groups,
    )
