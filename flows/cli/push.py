"""`corpusmith push`: a release goes to the hub, to a bucket or to another folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.options import Json, Quiet
from flows.cli.output import open_console, print_json, visible, working

if TYPE_CHECKING:
    from tasks.release.destination import Destination
    from tasks.release.shipment import Shipment

Release = Annotated[
    Path,
    typer.Argument(
        metavar="RELEASE",
        help="A release, or the folder of a corpus: its newest good release.",
        show_default=False,
    ),
]
To = Annotated[
    str,
    typer.Argument(
        metavar="DESTINATION",
        help="ORG/NAME on the Hugging Face hub, or a URI: s3://, gs://, file://, ...",
        show_default=False,
    ),
]
_HELP = {
    "yes": "Send it; without this, only say what would be sent.",
    "rejected": "Send the rejected candidates too.",
    "public": "Make a new repository public; it is private otherwise.",
}


def push(
    release: Release,
    destination: To,
    revision: Annotated[
        str | None, typer.Option("--revision", metavar="BRANCH", help="Branch of the repository.")
    ] = None,
    with_rejected: Annotated[
        bool, typer.Option("--with-rejected", metavar="", help=_HELP["rejected"])
    ] = False,
    public: Annotated[bool, typer.Option("--public", metavar="", help=_HELP["public"])] = False,
    yes: Annotated[bool, typer.Option("--yes", metavar="", help=_HELP["yes"])] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Publish a release; without --yes nothing leaves the machine."""
    from tasks.release.destination import parse_destination
    from tasks.release.push import send
    from tasks.release.shipment import pack

    target = parse_destination(destination, revision=revision)
    with working("checking", quiet=quiet) as say:
        say("checksums")
        shipment = pack(release, with_rejected=with_rejected)
    sent = False
    if yes:
        with working("sending", quiet=quiet) as say:
            sent = send(shipment, target, public=public, say=say)
    if as_json:
        print_json(_as_json(shipment, target, sent=sent))
    elif yes:
        print(visible(str(target)) if sent else f"already there: {visible(str(target))}")
    else:
        _show_plan(shipment, target, public=public)


def _as_json(shipment: "Shipment", target: "Destination", *, sent: bool) -> dict[str, Any]:
    return {
        "release": str(shipment.folder),
        "name": shipment.manifest.name,
        "version": shipment.manifest.version,
        "destination": str(target),
        "sent": sent,
        "bytes": shipment.num_bytes,
        "files": [entry.model_dump(exclude={"rows"}) for entry in shipment.files],
        "held_back": [entry.path for entry in shipment.held_back],
    }


def _show_plan(shipment: "Shipment", target: "Destination", *, public: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from tasks.release.destination import Repository

    console = open_console()
    manifest = shipment.manifest
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for entry in shipment.files:
        table.add_row(f"{entry.bytes:,}", Text(visible(entry.path)))
    table.add_row(f"{len(shipment.checksums.encode()):,}", "checksums.txt")
    console.print(table)
    console.print()
    lines = [
        ("release", f"{manifest.name} {manifest.version}"),
        ("to", str(target)),
        ("files", f"{len(shipment.files) + 1}, {shipment.num_bytes:,} bytes"),
    ]
    if isinstance(target, Repository):
        lines.insert(2, ("revision", f"{target.revision or 'main'}, tagged {manifest.version}"))
        lines.insert(3, ("if new", "public" if public else "private"))
    if shipment.held_back:
        kept = ", ".join(entry.path for entry in shipment.held_back)
        lines.append(("held back", f"{kept} (--with-rejected sends it)"))
    for key, value in lines:
        console.print(Text(f"{key:<10} {visible(value)}"), soft_wrap=True)
    console.print("nothing was sent: add --yes to send it")
