"""The page of the command line names every command with all its options."""

from collections.abc import Iterator

import click
import pytest
from typer.main import get_command

from server.cli import app
from tests.support.serving import ROOT

ROWS = [
    line
    for line in (ROOT / "docs/reference/cli.md").read_text("utf-8").splitlines()
    if line.startswith("| `cim ")
]
EVERYWHERE = {"--city", "--help"}


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


COMMANDS = list(commands(get_command(app)))


@pytest.mark.parametrize(
    ("path", "command"), COMMANDS, ids=[" ".join(path) for path, _ in COMMANDS]
)
def test_a_command_and_its_options_are_on_the_page(
    path: tuple[str, ...], command: click.Command
) -> None:
    # A group's commands may share a row: `cim town add ID`, `list`, `remove ID`.
    begins = f"`cim {path[0]} {path[1]}" if len(path) > 1 else f"`cim {path[0]}"
    rows = [row for row in ROWS if begins in row] or [
        row for row in ROWS if f"`cim {path[0]} " in row and f"`{path[-1]}" in row
    ]
    assert rows, " ".join(path)
    said = " ".join(rows)
    spoken = [names for item in command.params for names in (item.opts, item.secondary_opts)]
    missing = [
        names
        for names in spoken
        if any(name.startswith("--") for name in names)
        and EVERYWHERE.isdisjoint(names)
        and not any(name in said for name in names)
    ]
    assert not missing or "as `list`" in said, missing


def test_it_does_find_commands() -> None:
    assert len(COMMANDS) > 30
    assert ("audit", "verify") in [path for path, _ in COMMANDS]
