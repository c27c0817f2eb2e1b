import numpy as np

from tasks.audit.corpus import Corpus


def corpus(size: int = 50) -> Corpus:
    return Corpus(
        name="some",
        ids=[f"r{i}" for i in range(size)],
        texts=[None if i == 3 else f"Text, number {i}!" for i in range(size)],
        labels=[str(i % 3) for i in range(size)],
        columns={"split": ["train"] * size},
        numbers={"logprob": np.arange(size, dtype=np.float64)},
    )


def test_a_null_is_an_empty_text() -> None:
    some = corpus()
    assert some.strings[3] == some.normals[3] == ""
    assert some.normals[4] == "text number 4"
    assert some.words.lengths.tolist()[2:5] == [3, 0, 3]


def test_a_sample_is_a_set_of_rows_whatever_their_order() -> None:
    some = corpus()
    turned = some.take(np.arange(len(some))[::-1].copy())
    drawn, again = some.sample(10, key="a"), turned.sample(10, key="a")
    assert sorted(drawn.ids) == sorted(again.ids)
    assert drawn.ids == sorted(drawn.ids, key=list(some.ids).index)
    assert sorted(some.sample(10, key="b").ids) != sorted(drawn.ids)
    assert some.sample(50, key="a") is some
    place = some.ids.index(drawn.ids[0])
    assert drawn.numbers["logprob"][0] == place
    assert drawn.labels is not None
    assert drawn.labels[0] == str(place % 3)
