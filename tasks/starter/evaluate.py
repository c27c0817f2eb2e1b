"""Measure the starter model: `python -m tasks.starter.evaluate --data DIR`.

What is measured:

- **Bits a character** of held-out utterances given the first description of their label, and given
  no description; beside them two baselines fitted on the training split, one that knows how often
  each character occurs and one that knows how often each token occurs. All share one denominator,
  the characters of the utterances and one end each (see `tasks.starter.measures`).
- **Agreement**: the share of generated utterances to which a classifier gives the label that was
  asked for, among all labels and among the quickstart labels. The classifier is fitted on the real
  training split; its accuracy on the real held-out split stands beside it.
- **Copies**: the share of generated utterances that are a training utterance but for case and
  punctuation.
- **Denoising**: character error rate of corrupted held-out utterances, before and after.
- **Describing**: the share of held-out utterances for which the model writes one of their label's
  descriptions, or its plain name, letter for letter.
- **Attributes**: the share of generated utterances that have the form or the length asked for.
- **Unseen descriptions**: paraphrases that are not in the label file, with samples.
"""

import argparse
import hashlib
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import sklearn
import torch
import transformers

from tasks.quality.fingerprints import FingerprintIndex
from tasks.starter import STARTER_FOLDER
from tasks.starter.bench import (
    Bench,
    measure_agreement,
    measure_attributes,
    measure_bits,
    measure_denoising,
    measure_describing,
    measure_judge,
    measure_unseen,
)
from tasks.starter.card import update_card
from tasks.starter.corpus import load_descriptions, read_split
from tasks.starter.generation import Sampling, load_starter
from tasks.starter.measures import Judge
from tasks.starter.model import write_json

QUICKSTART_LABELS = (
    "banking77/passcode_forgotten",
    "banking77/terminate_account",
    "banking77/edit_personal_details",
    "banking77/transaction_charged_twice",
    "banking77/verify_source_of_funds",
    "banking77/card_linking",
    "clinc150/travel_notification",
    "clinc150/order_checks",
    "clinc150/lost_luggage",
    "clinc150/car_rental",
)
UNSEEN_DESCRIPTIONS = {
    "banking77/passcode_forgotten": "does not know the login code any more",
    "banking77/terminate_account": "would like to stop being a customer",
    "banking77/edit_personal_details": "moved house and wants the records changed",
    "banking77/transaction_charged_twice": "paid once but two payments were taken",
    "banking77/verify_source_of_funds": "has to prove the origin of deposited money",
    "banking77/card_linking": "wants a recovered card connected with the app again",
    "clinc150/travel_notification": "lets the bank know of a holiday abroad",
    "clinc150/order_checks": "ran out of cheques and needs new ones",
    "clinc150/lost_luggage": "cannot find the bags after landing",
    "clinc150/car_rental": "needs a vehicle to hire at the airport",
}


def evaluate(bench: Bench, *, labels: Sequence[str], num_rows: int) -> dict[str, object]:
    """Take every measurement of the model card."""
    return {
        "labels": list(labels),
        "seed": bench.seed,
        "sampling": asdict(bench.sampling),
        "bits_per_character": measure_bits(bench),
        "classifier": measure_judge(bench, labels=labels),
        "quickstart": measure_agreement(bench, labels=labels, num_rows=num_rows, seed=5),
        "all_labels": measure_agreement(
            bench, labels=sorted(bench.descriptions), num_rows=num_rows, seed=6
        ),
        "denoising": measure_denoising(bench),
        "describing": measure_describing(bench),
        "attributes": measure_attributes(bench, labels=labels, num_rows=600),
        "unseen_descriptions": measure_unseen(bench, unseen=UNSEEN_DESCRIPTIONS),
    }


def make_bench(data: Path, *, folder: Path, seed: int) -> Bench:
    """Load the model and the data and fit the classifier, which takes a minute or two.

    Raises:
        FileNotFoundError: If a file of the data or of the model is missing.
    """
    model, tokenizer = load_starter(folder)
    train = read_split(data, "train")
    return Bench(
        model=model,
        tokenizer=tokenizer,
        train=train,
        heldout=read_split(data, "heldout"),
        descriptions=load_descriptions(),
        judge=Judge.fit(train),
        index=FingerprintIndex.load(folder / "training_index.npy"),
        sampling=Sampling(),
        seed=seed,
    )


def main() -> None:
    """Read the command line, measure, write the figures and put them into the model card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of the three sets")
    parser.add_argument("--model", type=Path, default=STARTER_FOLDER, help="folder of the model")
    parser.add_argument("--labels", default=",".join(QUICKSTART_LABELS), help="dataset/label,...")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=STARTER_FOLDER / "evaluation.json")
    args = parser.parse_args()
    started = time.perf_counter()
    bench = make_bench(args.data, folder=args.model, seed=args.seed)
    figures = evaluate(bench, labels=args.labels.split(","), num_rows=args.rows)
    weights = (args.model / "model.safetensors").read_bytes()
    figures["model_sha256"] = hashlib.sha256(weights).hexdigest()
    figures["wall_seconds"] = round(time.perf_counter() - started, 1)
    figures["num_cores"] = os.cpu_count()
    figures["versions"] = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
    }
    write_json(args.out, figures)
    if (args.out.parent / "MODEL_CARD.md").exists():
        update_card(args.out.parent)


if __name__ == "__main__":
    main()
