"""`cim policy`: who may do what in a city."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any

import tomlkit
import typer

from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.receipt import operating_system_user
from server.access.gate import Gate
from server.access.policy import Policy, default_policy, public_policy, read_policy
from server.cli_audited import audited
from server.cli_parts import CityOption, JsonOption, err, print_json

policies = typer.Typer(no_args_is_help=True, help="The policy: who may do what.")

_KINDS = {
    "none": "the city has no policy: whoever is on this machine may read, nobody else",
    "default": "the city holds to the program's own policy",
    "own": "the city has a policy of its own",
}


@policies.command()
def show(city: CityOption, as_json: JsonOption = False) -> None:
    """Print the policy in force, as TOML that `cim policy set` takes."""
    force = Gate(City.open(city)).in_force
    policy = default_policy() if force.kind == "none" else force.policy
    if as_json:
        document = policy.document()
        print_json({"kind": force.kind, "version": force.version, "policy": document})
        return
    err.print(f"{_KINDS[force.kind]} (version {force.version})", highlight=False)
    typer.echo(tomlkit.dumps(_written(policy)), nl=False)


@policies.command("set")
def put(
    file: Annotated[Path, typer.Argument(help="A policy as TOML, or as JSON by its ending.")],
    city: CityOption,
) -> None:
    """Let a policy hold from now on."""
    _put(City.open(city), _read(file), "cim policy set")


@policies.command()
def default(
    city: CityOption,
    public: Annotated[
        bool, typer.Option("--public", help="Let strangers read public layers.")
    ] = False,
) -> None:
    """Let the program's own policy hold from now on."""
    _put(City.open(city), public_policy() if public else default_policy(), "cim policy default")


def _put(city: City, policy: Policy, what: str) -> None:
    with audited(city, "administer", what) as said:
        current = city.office.policies.current()
        version = current[0] if current else 0
        said["version"] = city.office.policies.put(
            policy.document(), version, operating_system_user()
        )


def _read(path: Path) -> Policy:
    if not path.is_file():
        raise NotFound(f"there is no file {path}; check the path")
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise InvalidInput(f"{path} cannot be read: {error}; correct that entry") from error
    if not isinstance(document, dict):
        raise InvalidInput(f"{path} holds no policy; begin from what `cim policy show` prints")
    return read_policy(document)


def _written(policy: Policy) -> dict[str, Any]:
    """What of a policy is not empty, a line for each verb, and all its numbers."""
    written = policy.model_dump(mode="json", exclude_defaults=True)
    for rules in written["roles"].values():
        for name, value in rules.items():
            if isinstance(value, dict):
                rules[name] = tomlkit.inline_table()
                rules[name].update(value)
    return {**written, "limits": policy.limits.model_dump(mode="json")}
