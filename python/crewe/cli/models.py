"""`crewe models`: which networks there are, and what is known of them."""

import json
import textwrap
from dataclasses import asdict

import click

__all__ = ["models"]


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
def models(name: str | None, as_json: bool) -> None:
    """The models in the package and what they reach; with NAME, all that is known of one.

    \b
    Examples:
      crewe models
      crewe models stem-hr
    """
    from crewe.models import registry

    names = [name] if name is not None else registry.list()
    entries = {one: asdict(registry.info(one)) for one in names}
    if as_json:
        click.echo(json.dumps(entries, indent=1))
    elif name is not None:
        for key, value in entries[name].items():
            click.echo(f"{key.replace('_', ' '):14s} {value}")
    else:
        for one, entry in entries.items():
            low, high = entry["pixel_size"]
            click.echo(f"{one:8s} {low:g}..{high:g} Å per pixel, {entry['licence']}, {entry['file']}")
            click.echo(textwrap.fill(entry["figures"], 110, initial_indent=" " * 9, subsequent_indent=" " * 9))
