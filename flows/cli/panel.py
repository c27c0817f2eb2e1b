"""What a run shows while it works: a live panel on a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table

from tasks.planning.progress import Progress, ProgressReader

_PANEL_SECONDS = 0.5
_LINE_SECONDS = 10.0


@contextmanager
def show_progress(reader: ProgressReader, *, title: str, quiet: bool) -> Iterator[None]:
    """Show the progress of a run on stderr while the body runs."""
    if quiet:
        yield
        return
    stop = threading.Event()
    show = _show_panel if sys.stderr.isatty() else _show_lines
    watcher = threading.Thread(target=show, args=(reader, title, stop), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join(timeout=5)


def _show_panel(reader: ProgressReader, title: str, stop: threading.Event) -> None:
    start = time.monotonic()
    console = Console(stderr=True)
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        while not stop.wait(_PANEL_SECONDS):
            live.update(panel(reader.read(), title=title, elapsed=time.monotonic() - start))


def _show_lines(reader: ProgressReader, title: str, stop: threading.Event) -> None:
    print(f"{title}: started", file=sys.stderr, flush=True)
    shown, due = "", time.monotonic() + _LINE_SECONDS
    # Read more often than shown: a run that is over has deleted what is read here.
    while not stop.wait(_PANEL_SECONDS):
        line = _line(reader.read())
        if line != shown and time.monotonic() >= due:
            print(f"{title}: {line}", file=sys.stderr, flush=True)
            shown, due = line, time.monotonic() + _LINE_SECONDS
    if (line := _line(reader.read())) != shown:
        print(f"{title}: {line}", file=sys.stderr, flush=True)


def _line(progress: Progress) -> str:
    if not progress.generated:
        return "preparing"
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in progress.rejected.most_common())
    return (
        f"{progress.accepted:,} of {progress.requested:,} rows accepted, "
        f"{progress.generated:,} generated, {progress.rejected.total():,} rejected"
        + (f" ({reasons})" if reasons else "")
        + f", {progress.tokens_per_second:,.0f} tokens/s, round {progress.round + 1}"
    )


def panel(progress: Progress, *, title: str, elapsed: float) -> RenderableType:
    """Render one moment of a run."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column()
    facts.add_row("accepted", f"{progress.accepted:,} of {progress.requested:,} rows")
    facts.add_row("generated", f"{progress.generated:,} candidates, round {progress.round + 1}")
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in progress.rejected.most_common(5))
    facts.add_row(
        "rejected", f"{progress.rejected.total():,}" + (f"  ({reasons})" if reasons else "")
    )
    facts.add_row("speed", f"{progress.tokens_per_second:,.0f} tokens/s")
    facts.add_row("time", f"{_clock(elapsed)} gone, {_ahead(progress)}")
    facts.add_row("memory", f"{_resident_bytes() / 2**20:,.0f} MB")
    waiting = progress.generated - progress.rejected.total()
    bar = ProgressBar(total=progress.requested, completed=min(waiting, progress.requested))
    whole = Table.grid(expand=True)  # a bar in a Group does not end its line
    whole.add_row(bar)
    whole.add_row(facts)
    return Panel(whole, title=title, title_align="left", border_style="dim")


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _ahead(progress: Progress) -> str:
    if progress.accepted >= progress.requested:
        return "all rows accepted; publishing"
    seconds = progress.remaining_seconds
    return "preparing" if seconds is None else f"about {_clock(seconds)} of generation ahead"


def _resident_bytes() -> int:
    """Resident memory of this process; the peak where the present value cannot be read."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            import resource

            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
