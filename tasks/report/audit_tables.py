"""Tables of an audit cut to what a page shows, their cells in words."""

from dataclasses import dataclass

from schemas.audit import Cell, Table
from tasks.report.audit_figures import cell_text, share_columns

_UNFOLDED = 12
"""Rows that are shown before a reader unfolds the others."""


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell in words; `share` is the value of a share that is drawn as a bar."""

    text: str
    is_number: bool
    share: float | None = None


@dataclass(frozen=True, slots=True)
class TableView:
    """A table in words.

    Args:
        number: Its place on the page.
        table: Its title and caption.
        columns: Headings of the columns that are shown.
        charted: The column that is drawn as bars too; None when there is none.
        scale: The share that fills a bar.
        rows: The first rows.
        folded: Further rows.
        left_out: Rows that the page does not show.
        columns_left_out: Columns that the page does not show.
    """

    number: int
    table: Table
    columns: tuple[CellView, ...]
    charted: int | None
    scale: float
    rows: tuple[tuple[CellView, ...], ...]
    folded: tuple[tuple[CellView, ...], ...]
    left_out: int
    columns_left_out: int


def table_view(number: int, table: Table, *, num_rows: int, num_columns: int) -> TableView:
    """Cut a table and write its cells in words.

    Args:
        number: Its place on the page.
        table: The table.
        num_rows: Most rows that are shown.
        num_columns: Most columns that are shown.
    """
    columns = range(min(len(table.columns), num_columns))
    shares = share_columns(table)
    charted = min((place for place in shares if place in columns), default=None)
    rows = table.rows[:num_rows]
    made = [
        tuple(
            CellView(
                text=cell_text(row[place], is_share=place in shares),
                is_number=not isinstance(row[place], str),
                share=_number(row[place]) if place == charted else None,
            )
            for place in columns
        )
        for row in rows
    ]
    numeric = [all(row[place].is_number for row in made) for place in columns]
    greatest = max((cell.share for row in made for cell in row if cell.share), default=0.0)
    return TableView(
        number=number,
        table=table,
        columns=tuple(CellView(table.columns[place], numeric[place]) for place in columns),
        charted=charted if greatest else None,
        scale=greatest,
        rows=tuple(made[:_UNFOLDED]),
        folded=tuple(made[_UNFOLDED:]),
        left_out=table.left_out + len(table.rows) - len(rows),
        columns_left_out=len(table.columns) - len(columns),
    )


def _number(cell: Cell) -> float | None:
    return float(cell) if isinstance(cell, (int, float)) else None
