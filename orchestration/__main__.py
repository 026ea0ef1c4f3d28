"""The command line of what needs the warehouse: `python -m orchestration COMMAND`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ml.cli.parser import Parser
from ml.store.outputs import check_output_folder
from orchestration import training_set
from orchestration.terminal import run, sql

# What the user can mend, and is told in a sentence instead of a traceback.
_USER_ERRORS = (ValueError, OSError)

Register = Callable[[Any], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 when it went well, 1 when it could not."""
    parser = Parser(prog="python -m orchestration", description=__doc__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for register in COMMANDS:
        register(commands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except run.RunFailedError as error:
        # A sentence a line: what failed, and where the whole log is.
        print(f"error: {error}", file=sys.stderr)
        return 1
    except _USER_ERRORS as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: stopped.", file=sys.stderr)
        return 130
    return 0


def _register_export(commands: Any) -> None:
    command = commands.add_parser("export", help="write the corpus as files that can be shared")
    command.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to write to")
    command.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> None:
    from orchestration.domains.tickets.export import export
    from orchestration.settings import Settings
    from orchestration.store.warehouse import open_pipeline_database

    check_output_folder(options.output.expanduser())
    with open_pipeline_database(Settings.from_environment().pipeline_database) as database:
        for name, rows in export(database, options.output.expanduser().resolve()).items():
            print(f"{rows:>9,}  {options.output / name}")


def _register_report(commands: Any) -> None:
    command = commands.add_parser(
        "report", help="write the daily page from what is published, and name the first ten tickets"
    )
    command.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> None:
    from orchestration.page.write import write_page
    from orchestration.settings import Settings

    settings = Settings.from_environment()
    page = write_page(settings.published_database, settings.runs_dir, settings.reports_dir)
    if sql.ask(settings.published_database, "from duckdb_views() where view_name = 'likely_late'")[1]:
        print(f"{sql.table(*sql.ask(settings.published_database, _FIRST))}\n")
    print(page)


# What is likely to be late, the hopeless aside, each with the strongest of its reasons.
_FIRST = """
    select
        repository || '#' || number as ticket, round(age_days)::int as days_old,
        -- A chance is never certain, whatever rounding makes of it.
        least(round(100 * p_open_in_7d), 99)::int || ' %' as open_in_7_days, title,
        list_transform(reasons[:2], lambda one: one.reason) as why
    from tickets.likely_late where not is_overdue limit 10
"""


def _register_figures(commands: Any) -> None:
    command = commands.add_parser("figures", help="take the README's figures over from what is published")
    command.set_defaults(run=_figures)


def _figures(options: argparse.Namespace) -> None:
    from orchestration.page.figures import write_figures
    from orchestration.settings import PROJECT_ROOT, Settings

    readme = PROJECT_ROOT / "README.md"
    write_figures(Settings.from_environment().published_database, readme)
    print(readme)


# A command is a function that adds its parser and sets `run`.
COMMANDS: tuple[Register, ...] = (
    run.register,
    sql.register,
    _register_report,
    _register_figures,
    _register_export,
    training_set.register,
)


if __name__ == "__main__":
    sys.exit(main())
