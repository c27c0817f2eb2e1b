"""Training in miniature: a few steps on made-up data, a stop, and a run that goes on."""

import csv
import json
import math
from dataclasses import replace

import pytest
import torch

from tasks.starter import train as train_module
from tasks.starter.batches import (
    BatchPlan,
    encode_segments,
    epoch_order,
    group_by_length,
    heldout_batches,
    training_batches,
)
from tasks.starter.corpus import SNIPS_INTENTS, Library, Segment, Utterance, load_descriptions
from tasks.starter.generation import Sampling, complete, load_starter
from tasks.starter.model import IGNORED, new_model, starter_config, taught_loss, train_tokenizer
from tasks.starter.train import CHECKPOINT, make_tokenizer, train
from tasks.starter.trainer import Trainer, TrainSettings, rate_at

TINY = TrainSettings(
    num_steps=6,
    minutes=60.0,
    validate_every=3,
    num_heldout_texts=10,
    width=32,
    num_layers=1,
    vocabulary_size=300,
    precision="float32",
    plan=BatchPlan(seed=7, tokens_per_batch=256, pool_texts=32),
)
SENTENCES = ("Where is the card?", "the card   has not come", "When does it come?", "send it now")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder laid out like the three published sets, with one label of each."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("banking77", "clinc150", "snips"):
        (folder / name).mkdir()
    for split in ("train", "test"):
        path = folder / "banking77" / f"{split}.csv"
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(["text", "category"])
            writer.writerows((f"{text} {split}", "card_arrival") for text in SENTENCES)
    clinc = {part: [[f"{part} {text}", "alarm"] for text in SENTENCES] for part in ("train", "val")}
    clinc |= {"test": [], "oos_train": [["out of scope", "oos"]]}
    (folder / "clinc150" / "data_full.json").write_text(json.dumps(clinc), encoding="utf-8")
    for intent in SNIPS_INTENTS:
        rows = [{"data": [{"text": "play "}, {"text": f"café {n}", "entity": "x"}]} for n in "abc"]
        for name in (f"train_{intent}_full", f"validate_{intent}"):
            # One published file is latin-1: here all of them are.
            content = json.dumps({intent: rows}, ensure_ascii=False).encode("latin-1")
            (folder / "snips" / f"{name}.json").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def library():
    utterances = [Utterance("banking77/card_arrival", f"Where is card {n}?") for n in range(40)]
    utterances += [Utterance("clinc150/alarm", f"wake me at {n}") for n in range(5)]
    return Library.of(utterances, load_descriptions())


@pytest.fixture(scope="module")
def tokenizer(library):
    return make_tokenizer(library, vocabulary_size=400)


def weights_of(trainer):
    return {name: value.clone() for name, value in trainer.average.state_dict().items()}


def test_a_run_writes_everything_and_its_model_speaks(data, tmp_path):
    trainer = train(TINY, data=data, out=tmp_path / "out", checkpoints=tmp_path, device="cpu")
    assert trainer.progress.step == 6
    record = json.loads((tmp_path / "out" / "training.json").read_text(encoding="utf-8"))
    assert [entry["step"] for entry in record["progress"]["history"]] == [3, 6]
    assert record["num_fingerprints"] == 4 + 4 + 3
    assert len(record["data_sha256"]) == 1 + 1 + 1 + 7 + 7 + 1
    assert not list(tmp_path.rglob("*.tmp"))
    model, tokenizer = load_starter(tmp_path / "out")
    answers = complete(
        ["Intent: wants a card\nMessage:"],
        model=model,
        tokenizer=tokenizer,
        sampling=Sampling(max_new_tokens=5),
        seed=1,
    )
    assert len(answers) == 1


def test_a_resumed_run_ends_where_an_unbroken_one_does(data, tmp_path, monkeypatch):
    folders = {name: tmp_path / name for name in ("whole", "parts", "ck_whole", "ck_parts")}
    whole = train(
        TINY, data=data, out=folders["whole"], checkpoints=folders["ck_whole"], device="cpu"
    )

    class Stopped(Exception):
        pass

    taken = 0
    step = Trainer.step

    def stop_after_four(self, batch):
        nonlocal taken
        taken += 1
        if taken > 4:
            raise Stopped
        return step(self, batch)

    parts = {"data": data, "out": folders["parts"], "checkpoints": folders["ck_parts"]}
    monkeypatch.setattr(Trainer, "step", stop_after_four)
    with pytest.raises(Stopped):
        train(TINY, **parts, device="cpu")
    monkeypatch.undo()
    resumed = train(TINY, **parts, device="cpu")
    assert resumed.progress.step == 6
    for name, value in weights_of(whole).items():
        torch.testing.assert_close(weights_of(resumed)[name], value)
    losses = [[e["heldout_loss"] for e in t.progress.history] for t in (whole, resumed)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-3)


def test_a_checkpoint_of_other_settings_is_refused(data, tmp_path):
    train(TINY, data=data, out=tmp_path, checkpoints=tmp_path, device="cpu")
    assert (tmp_path / CHECKPOINT).exists()
    other = replace(TINY, peak_rate=1e-4)
    with pytest.raises(ValueError, match="other settings"):
        train(other, data=data, out=tmp_path, checkpoints=tmp_path, device="cpu")


def test_missing_data_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train\.csv"):
        train(TINY, data=tmp_path, out=tmp_path, checkpoints=tmp_path, device="cpu")


def test_training_stops_when_the_heldout_loss_stalls():
    trainer = Trainer(TINY, device="cpu")
    trainer.progress.best_step = 1
    trainer.progress.step = 1 + TINY.patience * TINY.validate_every
    assert trainer.is_over


def test_time_ends_a_run_as_steps_do():
    trainer = Trainer(TINY, device="cpu")
    assert not trainer.is_over
    trainer.progress.wall_seconds = 60 * TINY.minutes
    assert trainer.is_over
    assert trainer.share_done == 1.0


def test_the_rate_warms_up_and_falls():
    rates = [rate_at(share / 100, settings=TINY) for share in range(101)]
    peak = rates.index(max(rates))
    assert peak == 2
    assert rates[peak] == pytest.approx(TINY.peak_rate)
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[100] == pytest.approx(TINY.peak_rate * TINY.final_rate_share)


def test_targets_are_the_next_tokens_of_the_taught_segments(tokenizer):
    segments = [Segment("Intent: opens a door\nMessage:", False), Segment(" open it", True)]
    ids, targets = encode_segments(segments, tokenizer=tokenizer)
    answer = tokenizer.encode(" open it")
    assert ids == tokenizer.encode("Intent: opens a door\nMessage: open it")
    taught = [target for target in targets if target != IGNORED]
    assert taught == [*answer, tokenizer.eos_token_id]
    first = len(ids) - len(answer) - 1
    assert all(target == IGNORED for target in targets[:first])


def test_the_loss_is_the_sum_over_the_taught_positions(tokenizer):
    texts = [
        encode_segments([Segment("Message:", False), Segment(text, True)], tokenizer=tokenizer)
        for text in (" open it", " wake me at seven")
    ]
    model = new_model(starter_config(len(tokenizer), width=32, num_layers=1), seed=1)
    (batch,) = group_by_length(texts, tokens_per_batch=512, pad_id=tokenizer.pad_token_id)
    expected = 0.0
    for ids, targets in texts:
        logs = model(torch.tensor([ids])).logits[0].detach().log_softmax(-1)
        expected -= sum(float(logs[t, v]) for t, v in enumerate(targets) if v != IGNORED)
    loss = taught_loss(model, tokens=batch.tokens, targets=batch.targets)
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-4)
    uniform = len([v for _, targets in texts for v in targets if v != IGNORED])
    assert float(loss.detach()) == pytest.approx(uniform * math.log(len(tokenizer)), rel=0.1)


def test_batches_keep_every_text_and_their_bound(library, tokenizer):
    batches = heldout_batches(
        library, tokenizer=tokenizer, plan=TINY.plan, num_texts=len(library.utterances)
    )
    assert sum(len(batch.tokens) for batch in batches) == len(library.utterances)
    for batch in batches:
        assert batch.tokens.shape == batch.targets.shape
        assert batch.tokens.shape[1] % 4 == 0
        assert batch.tokens.numel() <= 4 * TINY.plan.tokens_per_batch


def test_an_epoch_caps_large_labels_and_is_drawn_anew(library):
    plan = replace(TINY.plan, label_cap=10)
    orders = [epoch_order(library, plan=plan, epoch=epoch) for epoch in (0, 1)]
    for order in orders:
        assert len(order) == len(set(order)) == 15
    assert set(orders[0]) != set(orders[1])
    assert orders[0] == epoch_order(library, plan=plan, epoch=0)


def test_skipping_batches_goes_on_where_they_end(library, tokenizer):
    def take(skip, count):
        stream = training_batches(library, tokenizer=tokenizer, plan=TINY.plan, skip=skip)
        return [next(stream) for _ in range(count)]

    for (epoch, batch), (other_epoch, other) in zip(take(0, 20)[8:], take(8, 12), strict=True):
        assert epoch == other_epoch
        assert torch.equal(batch.tokens, other.tokens)
        assert torch.equal(batch.targets, other.targets)


def test_dropout_acts_in_training_only_and_is_not_saved(tokenizer):
    config = starter_config(len(tokenizer), width=32, num_layers=1)
    model, plain = (new_model(config, seed=3, dropout=d) for d in (0.5, 0.0))
    assert model.state_dict().keys() == plain.state_dict().keys()
    ids = torch.arange(10)[None]
    model.train(False)
    torch.testing.assert_close(model(ids).logits, plain(ids).logits)
    model.train(True)
    assert not torch.allclose(model(ids).logits, plain(ids).logits)


def test_tokenizer_keeps_bytes_it_never_saw():
    tokenizer = train_tokenizer(["a b c"], vocabulary_size=300)
    text = "日本 \x00 🙂\u0301\t\r\n  x"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_command_line_reaches_training(monkeypatch, tmp_path):
    calls = {}

    def remember(settings, **options):
        calls.update(options, settings=settings)

    monkeypatch.setattr(train_module, "train", remember)
    monkeypatch.setattr("sys.argv", ["train", "--data", str(tmp_path), "--seed", "3"])
    train_module.main()
    assert calls["settings"].seed == calls["settings"].plan.seed == 3
    assert calls["data"] == tmp_path
