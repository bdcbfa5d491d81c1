"""`cim key`: what programs sign in with."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from cim_core.city import City
from cim_core.errors import InvalidInput
from server.access.verbs import CITY_VERBS, LAYER_VERBS
from server.cli_audited import audited
from server.cli_parts import CityOption, JsonOption, err, folding_table, print_json
from server.cli_people import NameArgument, named
from server.people import key_entry

keys = typer.Typer(no_args_is_help=True, help="Keys: what programs sign in with.")

_SCOPES = (*LAYER_VERBS, *CITY_VERBS)


@keys.command()
def create(
    name: NameArgument,
    city: CityOption,
    title: Annotated[str, typer.Option(help="What the key is for.")],
    scope: Annotated[
        list[str], typer.Option(help=f"What it is good for: {', '.join(_SCOPES)}; may be repeated.")
    ],
    days: Annotated[int, typer.Option(help="How long it is good for.")] = 365,
    as_json: JsonOption = False,
) -> None:
    """Make a key for somebody's programs and print it, this once; it may no more than they may."""
    for item in scope:
        if item not in _SCOPES:
            raise InvalidInput(f"there is no scope {item!r}; take of {', '.join(_SCOPES)}")
    opened = City.open(city)
    account = named(opened, name)
    with audited(
        opened, "administer", "cim key create", name=account.name, account=account.id, title=title,
        scopes=list(scope), days=days,
    ) as said:  # fmt: skip
        key, secret = opened.office.keys.add(account.id, title, scope, days)
        said["key"] = key.id
    if as_json:
        print_json({**key_entry(key), "key": secret})
    else:
        err.print("the key, which is shown only now:", highlight=False)
        typer.echo(secret)


@keys.command("list")
def list_keys(
    city: CityOption,
    name: Annotated[str | None, typer.Argument(help="Whose; everybody's if not given.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the keys, newest first."""
    opened = City.open(city)
    found = opened.office.keys.all(None if name is None else named(opened, name).id)
    if as_json:
        print_json({"keys": [key_entry(key) for key in found]})
        return
    people = {account.id: account.name for account in opened.office.people.all()}
    table = folding_table("id", "of", "title", "scopes", "expires", "last used", "revoked")
    for key in found:
        table.add_row(
            key.id, escape(people[key.account]), escape(key.title), ", ".join(key.scopes),
            key.expires[:10], (key.last_used or "")[:19], (key.revoked or "")[:19],
        )  # fmt: skip
    Console().print(table)


@keys.command()
def revoke(key: Annotated[str, typer.Argument(help="The key's id.")], city: CityOption) -> None:
    """Make a key good for nothing."""
    opened = City.open(city)
    with audited(opened, "administer", "cim key revoke", key=key):
        opened.office.keys.revoke(key)
