"""Running the noise stage over a file: progress while it works, a summary at its end."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flows.cli.output import visible
from schemas.noise_file import LoadedNoise
from schemas.noise_mixtures import asks_for_tokenizer
from tasks.noise.counts import NoiseCounts
from tasks.noise.resources import Tokenizer
from tasks.noise.streaming import TableNoise, noise_records
from tasks.noise.table_columns import Columns
from tasks.noise.table_needs import check_labels_named, with_needs
from tasks.release.data_input import open_table
from tasks.release.data_output import TableWriter, check_output
from tasks.report.noise_findings import ExampleSample, NoiseFindings
from tasks.report.noise_operators import operator_findings
from tasks.report.noise_page import noise_report_paths, write_noise_report

_LINE_SECONDS = 10.0


def run_noise(
    data: Path, out: Path, columns: Columns, loaded: LoadedNoise, *, quiet: bool
) -> dict[str, Any]:
    """Noise a table and write it with its report.

    Args:
        data: File or folder.
        out: File to write.
        columns: Where text, label and spans stand.
        loaded: Noise and seed.
        quiet: Whether to show nothing.

    Returns:
        The summary that `--json` prints.

    Raises:
        CorpusmithError: If the input is wrong or the output cannot be written; nothing is left.
    """
    page, twin = noise_report_paths(out)
    check_output(out, page, twin)
    started = time.monotonic()
    source, how = open_table(data), TableNoise(columns, loaded.noise, loaded.seed)
    schema = how.schema_after(source.schema)
    check_labels_named(how)
    how = with_needs(how, source.batches, folder=loaded.folder, tokenizers=_open_tokenizers(loaded))
    counts, sample = NoiseCounts(), ExampleSample(text=how.columns.text, seed=how.seed)
    noised = noise_records(source.batches(), schema=source.schema, how=how)
    with (
        show_rows(source.num_rows, title=out.name, quiet=quiet) as advance,
        TableWriter(out, schema=schema) as writer,
    ):
        for part in noised:
            writer.add(part.records)
            sample.add(part.records, first_row=part.first_row)
            counts += part.counts
            advance(counts.rows)
    seconds = time.monotonic() - started
    findings = _findings(out, how, counts, sample)
    write_noise_report(findings, out)
    if not quiet:
        _show_summary(findings, counts, page=page, seconds=seconds)
    return {
        "out": str(out),
        "report": str(page),
        "rows_per_second": round(counts.rows / max(seconds, 1e-9)),
        **findings.model_dump(mode="json", exclude={"examples"}),
    }


def _open_tokenizers(loaded: LoadedNoise) -> Mapping[str, Tokenizer]:
    if not asks_for_tokenizer(loaded.noise.steps):
        return {}
    # Importing transformers takes seconds: only steps on tokens pay.
    from tasks.generation.noise_tokenizer import open_tokenizers

    return open_tokenizers(loaded.noise.steps, loaded.model, folder=loaded.folder)


def _findings(
    out: Path, how: TableNoise, counts: NoiseCounts, sample: ExampleSample
) -> NoiseFindings:
    names = ("rows", "nulls", "noised", "changed", "characters", "words", "characters_changed")
    return NoiseFindings(
        data=out.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=version("corpusmith"),
        seed=how.seed,
        noise=how.noise,
        operators=operator_findings(how.noise, counts),
        examples=sample.examples(),
        **{name: getattr(counts, name) for name in names},
    )


@contextmanager
def show_rows(total: int | None, *, title: str, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show on stderr how many rows are done and how fast, while the body runs.

    Args:
        total: How many rows there are; None when nobody knows.
        title: What is being made.
        quiet: Whether to show nothing.

    Yields:
        What to call with the number of rows done.
    """
    if quiet:
        yield lambda done: None
    elif sys.stderr.isatty():
        with _bar(total, title) as advance:
            yield advance
    else:
        yield _Lines(total, title)


@contextmanager
def _bar(total: int | None, title: str) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.fields[title]}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,} rows, {task.fields[pace]:,.0f} rows/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar, started = (
            progress.add_task("", total=total, title=visible(title), pace=0),
            time.monotonic(),
        )

        def advance(done: int) -> None:
            pace = done / max(time.monotonic() - started, 1e-9)
            progress.update(bar, completed=done, pace=pace)

        yield advance


class _Lines:
    """Prints a line now and then, where no terminal can show a bar."""

    def __init__(self, total: int | None, title: str) -> None:
        self._of = "" if total is None else f" of {total:,}"
        self._title = visible(title)
        self._started = self._last = time.monotonic()

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self._last >= _LINE_SECONDS:
            self._last = now
            pace = done / (now - self._started)
            line = f"{self._title}: {done:,}{self._of} rows, {pace:,.0f} rows/s"
            print(line, file=sys.stderr, flush=True)


def _show_summary(
    findings: NoiseFindings, counts: NoiseCounts, *, page: Path, seconds: float
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    pace = f"{counts.rows / max(seconds, 1e-9):,.0f} a second"
    nulls = f", {counts.nulls:,} without a text" if counts.nulls else ""
    table.add_row("rows", f"{counts.rows:,}{nulls}; {pace}")
    table.add_row("noised", f"{counts.noised:,} chosen, {counts.changed:,} changed")
    edits = [f"{operator.kind} {operator.edits:,}" for operator in findings.operators]
    table.add_row("edits", Text(visible(", ".join(edits))))
    share = counts.characters_changed / counts.characters if counts.characters else 0.0
    table.add_row("characters", f"{share:.2%} of {counts.characters:,} changed")
    table.add_row("report", Text(visible(str(page))))
    Console(stderr=True).print(table, highlight=False, soft_wrap=True)
