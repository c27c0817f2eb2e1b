"""How many threads linear algebra takes."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Do linear algebra in one thread, as a context or a decorator.

    Solvers that take thousands of products of small vectors and matrices spend their time handing
    them to threads: the two-sample tests of SuperGen's 6,000 rows took 6.8 s in two threads on a
    busy machine, 0.4 s in one. The setting is of the whole process while it lasts.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
