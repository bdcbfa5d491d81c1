"""`cim user`: who may sign in to a city."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from cim_core import errors
from cim_core.city import City
from cim_core.store.office_account import ROLES, Account
from cim_core.store.office_people import Changes
from cim_core.store.office_sessions import LONGEST_LINK
from server.access.gate import Gate
from server.access.passwords import check_password, hashed, random_password
from server.cli_audited import audited
from server.cli_parts import CityOption, JsonOption, err, folding_table, print_json
from server.people import change_person, person_entry, signs_in_by_link
from server.settings import load_settings

users = typer.Typer(no_args_is_help=True, help="People: who may sign in, and as what.")

NameArgument = Annotated[str, typer.Argument(help="The name to sign in with.")]
RoleOption = Annotated[
    list[str] | None, typer.Option("--role", help=f"One of {', '.join(ROLES)}; may be repeated.")
]
TownOption = Annotated[
    list[str] | None, typer.Option("--town", help="The id of a town; may be repeated.")
]


@users.command()
def add(
    name: NameArgument,
    city: CityOption,
    title: Annotated[str, typer.Option(help="What the person is called on screen.")] = "",
    role: RoleOption = None,
    town: TownOption = None,
    department: Annotated[str | None, typer.Option(help="The id of a department.")] = None,
    sso: Annotated[
        bool, typer.Option("--sso", help="Signs in with the city's own identity service.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Begin an account and print its password, which is shown this once."""
    opened = City.open(city)
    password = None if sso else random_password()
    with audited(opened, "administer", "cim user add", name=name, roles=list(role or ())) as said:
        account = opened.office.people.add(
            name, title=title, roles=role or (), towns=town or (), department=department, sso=sso,
            password_hash=None if password is None else _hashed(password),
        )  # fmt: skip
        said["account"] = account.id
    _tell_password(account, password, as_json=as_json)


@users.command("list")
def list_people(city: CityOption, as_json: JsonOption = False) -> None:
    """List everybody who may sign in."""
    opened = City.open(city)
    found = opened.office.people.all()
    if as_json:
        print_json({"people": [person_entry(account) for account in found]})
        return
    table = folding_table(
        "name", "title", "roles", "towns", "department", "second factor", "last signed in"
    )
    for item in found:
        table.add_row(
            escape(item.name) if item.active else f"[strike]{escape(item.name)}[/] inactive",
            escape(item.title), ", ".join(item.roles), ", ".join(item.towns),
            escape(item.department or ""), "yes" if item.totp else "", (item.last_signed_in or "")[:19],
        )  # fmt: skip
    Console().print(table)


@users.command()
def change(
    name: NameArgument,
    city: CityOption,
    title: Annotated[str | None, typer.Option(help="What the person is called on screen.")] = None,
    role: RoleOption = None,
    town: TownOption = None,
    department: Annotated[str | None, typer.Option(help="The id of a department.")] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="May sign in, or not any more.")
    ] = None,
    without_second_factor: Annotated[
        bool, typer.Option("--without-second-factor", help="Forget a second factor that was lost.")
    ] = False,
) -> None:
    """Change what is given: roles and towns as a whole, none of them with an empty text."""
    opened = City.open(city)
    account = named(opened, name)
    changes: Changes = {}
    if title is not None:
        changes["title"] = title
    if role is not None:
        changes["roles"] = [item for item in role if item]
    if town is not None:
        changes["towns"] = [item for item in town if item]
    if department is not None:
        changes["department"] = department or None
    if active is not None:
        changes["active"] = active
    told: dict[str, Any] = {"changes": dict(changes)}
    if without_second_factor:
        changes |= {"totp": None, "totp_pending": None}
        told["second_factor"] = False
    with audited(
        opened, "administer", "cim user change", name=account.name, account=account.id, **told
    ):
        change_person(opened.office, Gate(opened).in_force.policy, account.id, changes, by=None)


@users.command()
def password(
    name: NameArgument,
    city: CityOption,
    ask: Annotated[
        bool, typer.Option("--ask", help="Type the new password instead of having one made up.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Give somebody a new password, print it, and end all their sessions."""
    opened = City.open(city)
    account = named(opened, name)
    if account.sso:
        raise errors.Conflict(
            f"{account.name!r} signs in with the city's identity service and has no password here; "
            "change it there"
        )
    fresh = random_password()
    if ask:
        fresh = typer.prompt("new password", hide_input=True, confirmation_prompt=True, err=True)
        limits = Gate(opened).in_force.policy.limits
        check_password(fresh, account.name, limits.password_length)
    with audited(opened, "administer", "cim user password", name=account.name, account=account.id):
        opened.office.people.change(account.id, password=_hashed(fresh))
        opened.office.people.unlock(account.id)
        opened.office.sessions.end_all(account.id)
    if not ask:
        _tell_password(account, fresh, as_json=as_json)


@users.command()
def unlock(name: NameArgument, city: CityOption) -> None:
    """Let somebody try again who gave a wrong password too often."""
    opened = City.open(city)
    account = named(opened, name)
    with audited(opened, "administer", "cim user unlock", name=account.name, account=account.id):
        opened.office.people.unlock(account.id)


@users.command()
def link(
    name: NameArgument,
    city: CityOption,
    minutes: Annotated[
        float, typer.Option(min=1, max=LONGEST_LINK / 60, help="How long it is good for.")
    ] = LONGEST_LINK / 60,
    at: Annotated[
        str | None, typer.Option(help="The address of the server; this machine's if not given.")
    ] = None,
) -> None:
    """Print an address that signs somebody in, once."""
    opened = City.open(city)
    base = at or f"http://127.0.0.1:{load_settings(city=city).port}"
    typer.echo(sign_in_address(opened, named(opened, name), base, minutes * 60))


def sign_in_address(city: City, account: Account, base: str, seconds: float = LONGEST_LINK) -> str:
    """An address that signs in once; the token stands behind the #, which no server gets to see.

    Raises `Conflict` for an account that no link signs in.
    """
    if not signs_in_by_link(account):
        raise errors.Conflict(
            f"no link signs {account.name!r} in: the account is not active, has a second factor, or "
            "signs in with the city's identity service"
        )
    with audited(city, "administer", "cim user link", name=account.name, account=account.id):
        token = city.office.sessions.link(account.id, seconds)
    return f"{base.rstrip('/')}/#sign-in={token}"


def named(city: City, name: str) -> Account:
    """The account of a name; raises `NotFound`."""
    account = city.office.people.named(name)
    if account is None:
        raise errors.NotFound(
            f"there is nobody called {name!r} in this city; `cim user list` names everybody"
        )
    return account


def new_account(city: City, name: str, roles: list[str]) -> tuple[Account, str]:
    """Begin an account with a random password; the account and the password."""
    secret = random_password()
    return city.office.people.add(name, roles=roles, password_hash=_hashed(secret)), secret


def _hashed(secret: str) -> str:
    return hashed(secret, load_settings().password_memory_kib)


def _tell_password(account: Account, secret: str | None, *, as_json: bool) -> None:
    if as_json:
        shown = {} if secret is None else {"password": secret}
        print_json({**person_entry(account), **shown})
    elif secret is not None:
        err.print(
            f"[bold]{escape(account.name)}[/] has this password, which is shown only now:",
            highlight=False,
        )
        typer.echo(secret)
