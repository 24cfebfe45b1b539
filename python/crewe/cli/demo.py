"""`crewe demo`."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("crewe-demo"),
    show_default=True,
    help="The folder for pictures, arrays and report.md.",
)
def demo(output: Path) -> None:
    """See crewe work, with nothing but itself.

    Makes a 4D-STEM scan over SrTiO₃, streams it over loopback sockets as Merlin frames and as Timepix3 events into a
    live session, and leaves the images (.png, .npy) and a report with rates in a folder. Takes about half a minute;
    Ctrl-C saves what is there.

    \b
    Examples:
      crewe demo
      crewe demo --output look-here
    """
    from crewe.demo.run import demo as run

    complete = run(output, say=lambda words: click.echo(words, err=True))
    click.echo(f"{output / 'report.md'}", err=True)
    if not complete:
        raise click.exceptions.Exit(1)
