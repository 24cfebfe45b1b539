"""`crewe replay`: a recorded scan plays the detector."""

from pathlib import Path
from typing import Any

import click

from crewe.cli.options import opened, source_options


@click.command(epilog="See also: crewe live, which takes what is played.")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("url")
@source_options
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), metavar="R", help="Frames (events: probe positions) per second."
)
def replay(file: Path, url: str, rate: float | None, **options: Any) -> None:
    """Play FILE as a detector at URL, for one client, and end when all is sent.

    URL is merlin://host:port for frames, tpx3://host:port for events; without --rate as fast as the client takes them.

    \b
    Examples:
      crewe replay scan.mib merlin://127.0.0.1:6342 --rate 1000
      crewe replay scan.tpx3 tpx3://127.0.0.1:8451 --scan 512x512
    """
    from crewe import io
    from crewe._progress import Bar

    with opened(io.open, file, options) as source:
        frames = isinstance(source, io.FrameSource)
        total = len(source) if isinstance(source, io.FrameSource) else source.scan[0] * source.scan[1]
        click.echo(f"{file}: {total} {'frames' if frames else 'positions'}, waiting for a client at {url}", err=True)
        with Bar("playing", total=total, unit="frames" if frames else "positions") as bar:

            def sent(count: int) -> None:
                if not bar.done:
                    bar.restart()
                bar.set(count)

            io.replay(source, url, rate=rate, on_sent=sent)
        click.echo(f"sent {bar.done} of {total}, {bar.rate()}", err=True)
