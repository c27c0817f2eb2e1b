"""Threads of measures: one for small linear algebra, several for large independent parts."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

MOST_THREADS = 4
"""Parts done at once, on as many cores or more: each takes memory of its own."""

Part = TypeVar("Part")
Result = TypeVar("Result")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Do linear algebra in one thread, as a context or a decorator.

    Solvers that take thousands of products of small vectors and matrices spend their time handing
    them to threads: a two-sample test of 7,000 short texts took 4.8 s of processor time in two
    threads on a busy machine, 0.3 s in one. The setting is of the whole process while it lasts.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield


def in_threads(work: Callable[[Part], Result], parts: Iterable[Part]) -> list[Result]:
    """Do the parts of some work at the same time, and return their results in order.

    It gains where numpy and scipy let go of the interpreter: products, sorting, large arrays.

    Args:
        work: Depends on its part alone, and writes nowhere that another part reads or writes.
        parts: What to call it with.
    """
    num_threads = min(MOST_THREADS, os.cpu_count() or 1)
    with one_blas_thread(), ThreadPoolExecutor(num_threads) as pool:
        return list(pool.map(work, parts))
