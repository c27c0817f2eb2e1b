"""Recipes whose candidates are ranked: what `check` refuses, what a run is, rows end to end."""

import math
import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from schemas.errors import InputError
from schemas.strategies import Greedy
from tasks.generation.candidates import generate_candidates
from tasks.generation.folders import STARTER_FOLDER
from tasks.generation.protocol import Request
from tasks.generation.ranking import RankedBackend, expand
from tasks.generation.transformers_backend import TransformersBackend
from tasks.preflight import ranking
from tasks.preflight.checks import check_recipe, local_model
from tasks.preflight.opening import backend_of, open_run, prompt_writer, run_facts
from tasks.preflight.ranking import check_scorers, open_ranked
from tasks.preflight.sample import sample_rows

STARTER = {"backend": "transformers", "name": "starter", "device": "cpu"}
LABELS = {"late": "asks when a new card arrives", "hotel": "wants to book a hotel"}
SHORT = {"length": {"max": 16}}
LABEL_BEST = {"kind": "nucleus", "best_of": {"n": 3, "scorer": "label_posterior"}, **SHORT}
RERANK = {"kind": "noisy_channel", "num_candidates": 3, **SHORT}
CORRUPT = {"kind": "noisy_channel", "mode": "corrupt", **SHORT}
EXAMPLES = {"examples": {"path": "e.jsonl", "per_row": 0}}


@pytest.fixture
def recipe_of(scripted: Any) -> Any:
    """Writes a recipe with some strategies for the starter, and examples beside it."""

    def write(*strategies: dict, **changes: Any) -> Path:
        # Copies: what stands twice would be written as an anchor.
        own = [deepcopy(strategy) for strategy in strategies]
        settings = {"model": STARTER, "labels": LABELS, "strategies": own, "lines": []}
        path: Path = scripted(**{**settings, "rows": 8, "noise": None, **changes})
        (path.parent / "e.jsonl").write_text(
            '{"text": "where is the card I ordered", "label": "late"}\n'
            '{"text": "book me a room in Paris", "label": "hotel"}\n'
        )
        return path

    return write


def write_reward(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(STARTER_FOLDER)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=256,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.5,
    )
    with torch.random.fork_rng():
        torch.manual_seed(len(folder.name))
        BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def reward_best(name: str) -> dict:
    scorer = {"kind": "reward", "name": name}
    return {"kind": "nucleus", "best_of": {"n": 3, "scorer": scorer}, **SHORT}


@pytest.mark.parametrize(
    ("strategy", "key"),
    [(LABEL_BEST, "strategies[1].best_of.scorer"), (RERANK, "strategies[1].mode")],
)
def test_a_backend_that_only_writes_reads_no_texts(recipe_of, strategy, key):
    lines = [{"text": "where is it"}]
    model = {"backend": "scripted", "name": "script.jsonl"}
    path = recipe_of({"kind": "greedy"}, strategy, model=model, lines=lines)
    with pytest.raises(InputError) as caught:
        check_recipe(path)
    assert caught.value.code == "CS-R007"
    assert caught.value.place.endswith(key)
    check_scorers(check_recipe(recipe_of(LABEL_BEST)).recipe)


def test_candidates_by_logprob_and_corruption_need_no_reader(recipe_of):
    lines = [{"text": f"unlike {number} to any {number * 7}"} for number in range(40)]
    model = {"backend": "scripted", "name": "script.jsonl"}
    best = {"kind": "nucleus", "best_of": {"n": 3}}
    path = recipe_of(best, CORRUPT, model=model, lines=lines, prompt=EXAMPLES)
    rows = sample_rows(check_recipe(path), 8)
    assert {row["strategy"] for row in rows} == {"nucleus", "noisy_channel"}
    for row in rows:
        assert row["num_tokens"] >= (15 if row["strategy"] == "nucleus" else 5)


def test_a_model_that_cannot_read_is_refused_when_it_is_opened(recipe_of, monkeypatch):
    class Mute:
        format_prompt = staticmethod(str)

    checked = check_recipe(recipe_of(RERANK))
    monkeypatch.setattr(ranking, "open_backend", lambda model, **_: Mute())
    with pytest.raises(InputError) as caught:
        open_ranked(checked.recipe, STARTER, folder=Path(), rewards={})
    assert caught.value.code == "CS-M004"


def test_plain_recipes_get_the_plain_backend(recipe_of):
    checked = check_recipe(recipe_of({"kind": "nucleus", **SHORT}, {"kind": "beam", **SHORT}))
    model = local_model(checked.loaded)
    backend = open_ranked(checked.recipe, model, folder=checked.loaded.folder, rewards={})
    assert isinstance(backend, TransformersBackend)


def test_a_long_list_of_labels_does_not_fit_the_question(recipe_of):
    """Models other than the starter are shown all labels in the question."""
    labels = {f"l{number}": f"asks for the thing number {number}" for number in range(20)}
    strategy = {**LABEL_BEST, "length": {"max": 400}}
    check_recipe(recipe_of(strategy, labels=labels))
    path = recipe_of(strategy, labels=labels, model={**STARTER, "name": "./copy"})
    files = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
    (path.parent / "copy").mkdir()
    for name in files:
        shutil.copy(STARTER_FOLDER / name, path.parent / "copy")
    with pytest.raises(InputError) as caught:
        check_recipe(path)
    assert caught.value.code == "CS-P008"
    assert "strategies[0].best_of.scorer" in caught.value.place
    check_recipe(recipe_of(LABEL_BEST, labels=LABELS, model={**STARTER, "name": "./copy"}))


def test_rewards_are_found_and_part_of_the_identity(recipe_of, tmp_path):
    path = recipe_of(reward_best("judge"))
    write_reward(path.parent / "judge")
    checked = check_recipe(path)
    facts = run_facts(checked)
    assert len(facts.inputs["reward judge"]) == 64
    assert Path(facts.rewards["judge"].name) == path.parent / "judge"
    assert type(facts).model_validate_json(facts.model_dump_json()) == facts
    with (path.parent / "judge" / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x07")
    again = run_facts(check_recipe(path))
    assert again.recipe_sha256 != facts.recipe_sha256
    assert again.work_key != facts.work_key


@pytest.mark.parametrize(
    ("name", "code"), [("./absent", "CS-M001"), ("../judge", "CS-R008"), ("starter", "CS-M004")]
)
def test_a_wrong_reward_names_its_key(recipe_of, name, code):
    with pytest.raises(InputError) as caught:
        check_recipe(recipe_of(reward_best(name)))
    assert caught.value.code == code
    if code != "CS-M004":
        assert "best_of.scorer.name" in caught.value.place


def candidates_of(path: Path) -> tuple[list[dict], RankedBackend, Any]:
    checked = check_recipe(path)
    rewards = {name: found.model for name, found in checked.rewards.items()}
    model, folder = local_model(checked.loaded), checked.loaded.folder
    backend = open_ranked(checked.recipe, model, folder=folder, rewards=rewards)
    assert isinstance(backend, RankedBackend)
    rows = np.arange(checked.recipe.rows, dtype=np.int64)
    table = checked.writer.write(rows, attempts=np.zeros(rows.size, dtype=np.int32))
    made = generate_candidates(table, checked.recipe.strategies, backend)
    return made.to_pylist(), backend, checked


def test_every_ranking_on_the_starter_keeps_the_best_of_its_candidates(recipe_of):
    """Each row is the best of its candidates, generated one by one, by the run's own scores.

    That the scores are right is shown where they are computed.
    """
    best_logprob = {"kind": "top_k", "best_of": {"n": 3}, **SHORT}
    strategies = (LABEL_BEST, RERANK, best_logprob, reward_best("judge"), CORRUPT)
    path = recipe_of(*strategies, prompt=EXAMPLES, rows=10)
    write_reward(path.parent / "judge")
    rows, backend, checked = candidates_of(path)
    plain, rank = backend._backend, backend._rank
    judge = rank.judge
    assert {row["strategy_index"] for row in rows} == set(range(5))
    for row in rows:
        strategy = checked.recipe.strategies[row["strategy_index"]]
        request = Request(0, 0, row["seed"], row["label"], row["prompt"], strategy)
        replies = [next(plain.generate([one])) for one in expand(request)]
        assert row["num_tokens"] == sum(reply.num_tokens for reply in replies)
        assert row["raw_text"] in {reply.text for reply in replies}
        if len(replies) == 1:
            assert row["examples"][1] in row["prompt"]
            continue
        scores = rank(strategy, replies)
        kept = replies[max(range(3), key=lambda place: (scores[place], -place))]
        assert (row["raw_text"], row["logprob"]) == (
            kept.text,
            pytest.approx(kept.logprob, abs=1e-4),
        )
    posteriors = [judge.label_logprobs(["book a hotel room"], label=label)[0] for label in LABELS]
    assert sum(map(math.exp, posteriors)) == pytest.approx(1)
    assert posteriors[1] > posteriors[0]


def test_a_run_opens_what_the_recipe_was_checked_with(recipe_of, tmp_path):
    path = recipe_of(reward_best("judge"), CORRUPT, prompt=EXAMPLES)
    write_reward(path.parent / "judge")
    checked = check_recipe(path)
    workspace = open_run(checked, tmp_path / "home", run_facts(checked), resume="auto")
    rows = np.arange(8)
    table = prompt_writer(workspace).write(rows, attempts=np.zeros(8, dtype=np.int32))
    assert table["prompt"].to_pylist() == list(checked.prompts)
    replies = generate_candidates(table, checked.recipe.strategies, backend_of(workspace))
    shown = sample_rows(checked, 8)
    assert replies["raw_text"].to_pylist() == [row["raw_text"] for row in shown]


def test_greedy_ranks_nothing(recipe_of):
    with pytest.raises(InputError):
        check_recipe(recipe_of({"kind": "greedy", "best_of": {"n": 3}}))
    assert not hasattr(Greedy(), "best_of")
