from threading import Barrier

import pytest
from threadpoolctl import threadpool_info

from tasks.quality import threads
from tasks.quality.threads import in_threads, one_blas_thread


def blas_threads() -> set[int]:
    return {
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    }


def test_linear_algebra_takes_one_thread_for_a_while() -> None:
    import numpy as np

    assert np.ones((2, 2)).sum() == 4
    before = blas_threads()
    with one_blas_thread():
        assert blas_threads() == {1}
    assert blas_threads() == before


def test_parts_are_done_at_once_and_answered_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 2)
    both = Barrier(2, timeout=10)

    def work(part: int) -> int:
        both.wait()
        return part * part

    assert in_threads(work, range(6)) == [0, 1, 4, 9, 16, 25]


def test_what_goes_wrong_in_a_part_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda part: 1 // part, [1, 0])
