"""What a finished run has made, as a table on stderr."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from flows.cli.output import visible
from schemas.manifest import Manifest
from tasks.release.outlet import Place


def show_release(release: Place, manifest: Manifest) -> None:
    """Show rows, splits, rejections, gates and where to look next."""
    rows, console = manifest.rows, Console(stderr=True)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column()
    splits = ", ".join(f"{name} {count:,}" for name, count in manifest.splits.items())
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in rows.rejected.items())
    table.add_row("rows", f"[bold]{rows.accepted:,}[/] of {rows.requested:,} ({escape(splits)})")
    table.add_row("generated", f"{rows.generated:,} texts, {manifest.tokens.generated:,} tokens")
    table.add_row(
        "rejected", f"{sum(rows.rejected.values()):,}" + (f" ({reasons})" if reasons else "")
    )
    passed = sum(gate.passed for gate in manifest.gates)
    table.add_row("gates", f"{passed} of {len(manifest.gates)} passed")
    if manifest.audit is not None:
        table.add_row(
            "audit", Text(f"{manifest.audit.verdict}: {visible(manifest.audit.reasons[0])}")
        )
    table.add_row("model", Text(visible(manifest.model.reference)))
    stages = sorted(manifest.seconds.items(), key=lambda entry: -entry[1])
    spent = [f"{stage} {seconds:,.1f}" for stage, seconds in stages if seconds >= 0.05]
    table.add_row("seconds", ", ".join(spent) or "less than 0.1")
    console.print(table, highlight=False)
    # A path that is cut or broken over lines cannot be opened.
    console.print(Text("report     ", style="dim"), end="")
    console.print(Text(visible(f"{release}/report.html")), soft_wrap=True)
