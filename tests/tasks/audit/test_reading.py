import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from schemas.errors import InputError
from tasks.audit.reading import Choice, read_corpus

FRAME = pd.DataFrame(
    {
        "id": ["a", "b", "c"],
        "text": ["one", None, "three"],
        "label": ["x", "y", "x"],
        "logprob": [-1.0, None, -0.5],
        "strategy": ["greedy", "greedy", "beam"],
    }
)


def write(folder: Path, kind: str) -> Path:
    path = folder / f"data.{kind}"
    match kind:
        case "parquet":
            FRAME.to_parquet(path, index=False)
        case "csv":
            FRAME.to_csv(path, index=False)
        case _:
            lines = [json.dumps(row) for row in FRAME.astype(object).where(FRAME.notna(), None)
                     .to_dict("records")]  # fmt: skip
            path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_every_format_gives_the_same_corpus(kind: str, tmp_path: Path) -> None:
    corpus = read_corpus(write(tmp_path, kind), Choice())
    assert list(corpus.ids) == ["a", "b", "c"]
    assert corpus.strings == ["one", "", "three"]
    assert corpus.labels == ["x", "y", "x"]
    assert corpus.columns["strategy"] == ["greedy", "greedy", "beam"]
    if kind != "csv":
        assert np.isnan(corpus.numbers["logprob"]).tolist() == [False, True, False]


def test_a_folder_joins_its_files_and_a_release_names_its_splits(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    FRAME.to_parquet(folder / "test-00000-of-00001.parquet", index=False)
    FRAME.drop(columns="logprob").to_parquet(folder / "train-00000-of-00001.parquet", index=False)
    corpus = read_corpus(tmp_path, Choice())
    assert corpus.columns["split"] == ["test"] * 3 + ["train"] * 3
    assert "logprob" not in corpus.numbers
    assert len(corpus) == 6


def test_other_columns_and_rows_without_ids(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    pd.DataFrame({"sentence": ["a b", "c"], "class": [0, 1]}).to_parquet(path, index=False)
    corpus = read_corpus(path, Choice(text="sentence", label="class"))
    assert (list(corpus.ids), corpus.labels) == (["0", "1"], ["0", "1"])
    assert read_corpus(path, Choice(text="sentence")).labels is None


def test_corpora_share_a_vocabulary_that_is_still_empty(tmp_path: Path) -> None:
    path = write(tmp_path, "parquet")
    one = read_corpus(path, Choice())
    assert read_corpus(path, Choice(), vocabulary=one.vocabulary).vocabulary is one.vocabulary


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "parquet")
    with pytest.raises(InputError, match="'sentence'") as caught:
        read_corpus(path, Choice(text="sentence"))
    assert "there is: id, text, label" in caught.value.hint


def test_a_column_of_lists_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    pd.DataFrame({"text": ["a"], "label": [["x", "y"]]}).to_parquet(path)
    with pytest.raises(InputError, match="not strings"):
        read_corpus(path, Choice())


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no"):
        read_corpus(tmp_path, Choice())
