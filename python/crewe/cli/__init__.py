"""The command `crewe`: one place turns exceptions into words, every command does one thing.

Exit codes: 0 all well; 1 something failed, or was interrupted (what was there is saved); 2 the command was wrong.
"""

import os
import signal
import sys
from typing import Any, NoReturn

import click

import crewe

__all__ = ["main", "run", "words"]

#: Where the commands live; imported when one is asked for, so that `crewe --help` is quick.
_COMMANDS = {
    "atoms": ("crewe.cli.atoms", "Find atomic columns; fit, count, map strain."),
    "bench": ("crewe.cli.bench", "How fast this computer is with crewe."),
    "compare": ("crewe.cli.compare", "How different are images from a reference?"),
    "degrade": ("crewe.cli.degrade", "Do to an image what a microscope does."),
    "demo": ("crewe.cli.demo", "See it work: a made-up SrTiO₃ scan, streamed over sockets."),
    "image": ("crewe.cli.image", "Make images of a recorded scan."),
    "live": ("crewe.cli.image", "Make images while the scan runs."),
    "models": ("crewe.cli.models", "The networks in the package, and what is known of them."),
    "replay": ("crewe.cli.replay", "Play a recorded scan as a detector."),
    "restore": ("crewe.cli.restore", "Images without noise and scan distortions."),
    "simulate": ("crewe.cli.simulate", "Electrons through a crystal: HRTEM, STEM, diffraction, 4D-STEM."),
    "train": ("crewe.cli.train", "Train networks, look at training pairs."),
    "view": ("crewe.cli.view", "Look at images, or at a scan while it runs, in the browser."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        import importlib

        command = getattr(importlib.import_module(_COMMANDS[cmd_name][0]), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in _COMMANDS.items()])


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"crewe {crewe.__version__}")  # asks the core: not before it is asked for
        ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Tell it and exit.")
def cli() -> None:
    """crewe turns detector data into images, while the microscope is still scanning.

    Data go to files or stdout, words to stderr. Exit codes: 0 all well, 1 failed or interrupted (what is there is
    saved), 2 wrong command.

    \b
    Examples:
      crewe demo
      crewe image scan.mib --output ricom.npy
      crewe live merlin://192.168.1.2:6342 --scan 256x256 --image ricom --image adf --inner 40
      crewe COMMAND --help
    """


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; the exit code. Whatever goes wrong comes out as words on stderr."""
    try:
        result = cli.main(arguments, prog_name="crewe", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.UsageError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        return _say(error.format_message())
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted")
    except BrokenPipeError:  # whoever read our stdout has left; nothing more can be said there
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError as error:
        return _say(f"out of memory: {error}" if str(error) else "out of memory")
    except Exception as error:
        if os.environ.get("CREWE_DEBUG"):
            raise
        return _say("interrupted" if _caused_by_interrupt(error) else words(error))


def _interrupt(*_: Any) -> NoReturn:
    raise KeyboardInterrupt


def _caused_by_interrupt(error: BaseException | None) -> bool:
    """Ctrl-C while an extension module imports another comes out as an ImportError."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error is not None


def _say(words: str) -> int:
    click.echo(f"crewe: {words}", err=True)
    return 1


def words(error: Exception) -> str:
    """What an exception has to say to somebody who doesn't read Python."""
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename is not None else ""
        return f"{place}{error.strerror}" if place or not error.args[2:] else str(error)
    text = str(error) or type(error).__name__
    if isinstance(error, OSError | ValueError | TypeError | RuntimeError | ImportError):
        return text
    return f"{type(error).__name__}: {text} (this is a fault of crewe; CREWE_DEBUG=1 shows where)"
