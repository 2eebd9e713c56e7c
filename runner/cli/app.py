"""The commands, each imported when it is called."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from .. import __version__
from ..errors import Problem, StoryError

COMMANDS: dict[str, str] = {
    "init": "Write a storyboard that runs.",
    "check": "Check a storyboard: every problem at once.",
    "plan": "Show what a run would make, why, and what it costs.",
    "run": "Make what is missing, then the film.",
    "status": "Show the state of every shot in short.",
    "why": "Say why a shot is made again: what changed.",
    "diff": "Show what changed since a git revision, and what it costs.",
    "graph": "Draw which shot hands its frame to which.",
    "circle": "Choose a take of a shot.",
    "accept": "Say that a take is right for words it was not made for.",
    "pin": "Let a shot keep the frame it begins on.",
    "retake": "Ask for one more take of a shot.",
    "resolve": "Settle a purchase of unknown outcome.",
    "costs": "Show what was spent, beside what was estimated.",
    "report": "Write report.html anew from what is there.",
    "import": "Make a storyboard of a shot list or a screenplay.",
    "export": "Write the shots as a list, for a spreadsheet.",
    "models": "Show the model cards: sizes, lengths, prices.",
    "schema": "Print a schema, for an editor.",
    "store": "Look after the store: verify.",
    "frame": "Take one exact frame out of any clip.",
    "inspect": "Measure any clip.",
    "serve": "Stand in for the paid service, or receive its webhooks.",
    "doctor": "Look at this machine: libraries, fonts, disk.",
}
"""Name and help line; the module is called the same."""


class Commands(click.Group):
    """Imports a command when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"{__package__}.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from ..errors import did_you_mean

        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = did_you_mean(args[0], COMMANDS)
            if near is None:
                raise
            raise click.UsageError(f"there is no command {args[0]}. Did you mean {near}?", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `matchcut init`, then `matchcut run storyboard.yaml --provider animatic`.",
)
@click.version_option(__version__, prog_name="matchcut", message="%(prog)s %(version)s")
def matchcut() -> None:
    """Turns a storyboard written in YAML into a film."""


def start(argv: Sequence[str] | None = None) -> int:
    """Run a command; what it ends with. What the author can repair is told without a traceback."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = matchcut.main(arguments, prog_name="matchcut", standalone_mode=False)
    except StoryError as error:
        tell(error.problems, as_json="--json" in arguments)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped: what was made is kept, the next run goes on from here", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def tell(problems: Sequence[Problem], *, as_json: bool = False) -> None:
    """Problems for people on stderr, or for programs on stdout."""
    if as_json:
        click.echo(json.dumps({"problems": [as_data(problem) for problem in problems]}, indent=2, ensure_ascii=False))
        return
    for problem in problems:
        colour = "yellow" if problem.severity == "warning" else "red"
        head = f"{problem.place}: " if problem.place else ""
        mark = "warning: " if problem.severity == "warning" else ""
        click.echo(click.style(head, bold=True) + click.style(mark, fg=colour) + problem.fact, err=True)
        if problem.remedy:
            click.echo(click.style("  try: ", fg="cyan") + problem.remedy, err=True)
    errors = sum(problem.severity == "error" for problem in problems)
    if errors > 1:
        click.echo(f"{errors} problems", err=True)


def as_data(problem: Problem) -> dict[str, object]:
    place = problem.place
    return {
        "severity": problem.severity, "file": place.file if place else None, "line": place.line if place else None,
        "col": place.col if place else None, "fact": problem.fact, "remedy": problem.remedy,
    }  # fmt: skip
