"""What one person may do with one city: where who asks and what the policy says meet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import shapely

from cim_core.city import City
from cim_core.errors import Forbidden, NotFound, SignInNeeded
from cim_core.sight import WHOLE, WHOLE_KINDS, Doer, Part, Sight, Towns
from cim_core.store.jobs import Job
from cim_core.store.labels import Label
from server.access.person import Person
from server.access.policy import Policy, RoleRules, Whose
from server.access.verbs import LAYER_VERBS, VERBS, Verb

_WORDS: Mapping[Verb, str] = {
    "read": "look at it", "export": "take it out as a file", "edit": "describe it",
    "manage": "import, tile, remove or roll it back", "record": "send observations to it",
    "respond": "answer its alarms", "report": "report on it",
    "order": "supervise it", "households": "see its households", "administer": "look after people and the policy",
    "audit": "read the log", "own": "do this", "open": "do this",
}  # fmt: skip


@dataclass(frozen=True)
class Access:
    """What a person may do.

    labels
        What decides who sees each layer, by its id.
    boundaries
        Of the person's towns, degrees.
    """

    person: Person
    policy: Policy
    labels: Mapping[str, Label] = field(default_factory=dict)
    boundaries: tuple[shapely.Geometry, ...] = ()

    def may(self, verb: Verb, layer: str | Label | None = None) -> bool:
        """Whether a verb holds: for a layer, or without one for any layer at all."""
        match verb:
            case "open":
                return True
            case "own":
                return self.person.known and self._in_scope("own")
            case "administer" | "audit":
                granted = {name for rules in self._rules for name in rules.city}
                # Whoever grants rights does not look after how they are used.
                every = (self.policy.rules(role) for role in self.person.roles)
                apart = verb == "audit" and any("administer" in rules.city for rules in every)
                return self._in_scope(verb) and verb in granted and not apart
        return self._in_scope(verb) and (
            any(whose != "none" for rules in self._rules for whose in getattr(rules, verb).values())
            if layer is None
            else self._may(verb, layer)
        )

    def _may(self, verb: Verb, layer: str | Label) -> bool:
        label = self.labels.get(layer) if isinstance(layer, str) else layer
        part = self._part(verb, label) if label is not None else None
        # What changes a layer changes all of it.
        return part is not None and (verb in ("read", "export") or part.area is None)

    def require(self, verb: Verb, layer: str | Label | None = None) -> None:
        """Raise what says why not: `SignInNeeded` to strangers, `Forbidden` to the known.

        A layer that the person cannot see is not there, but for who feeds it: `NotFound`.
        """
        fed = verb == "record" and layer in self.fed
        if isinstance(layer, str) and self.sight.of(layer) is None and not fed:
            raise NotFound(f"there is no layer {layer!r} in this city; `cim layers` lists them")
        if self.may(verb, layer):
            return
        name = layer.layer if isinstance(layer, Label) else layer
        what = "this" if name is None else f"the layer {name!r}"
        if not self.person.known:
            raise _sign_in(verb, what)
        raise Forbidden(
            f"your roles do not let you {_WORDS[verb]} ({what}); ask the city's security administrator"
        )

    def require_known(self) -> None:
        """Raise `SignInNeeded` for what nobody does unnamed, whatever they may do."""
        if not self.person.known:
            raise _sign_in("own", "this")

    def towns(self, verb: Verb) -> Towns:
        """The towns for whose renewal a verb holds, which counts as internal; None for all."""
        if not self._in_scope(verb):
            return frozenset()
        whose = {rules.whose(verb, "internal") for rules in self._rules}
        if "all" in whose:
            return None
        return frozenset(self.person.towns if "town" in whose else ())

    def require_town(self, verb: Verb, town: str) -> None:
        """Raise what says why a verb does not hold for a town's renewal, as `require` does."""
        towns = self.towns(verb)
        if towns is not None and town not in towns:
            if not self.person.known:
                raise _sign_in(verb, f"renewal of the town {town!r}")
            raise Forbidden(
                f"your roles do not let you {_WORDS[verb]} (renewal of the town {town!r}); ask the "
                "city's security administrator"
            )

    @property
    def verbs(self) -> list[Verb]:
        """The verbs that hold for anything at all."""
        return [verb for verb in VERBS if verb != "open" and self.may(verb)]

    def verbs_of(self, layer: str | Label) -> list[Verb]:
        """The verbs that hold for a layer."""
        return [verb for verb in LAYER_VERBS if self.may(verb, layer)]

    @cached_property
    def fed(self) -> frozenset[str]:
        """The layers whose things they may send observations of, seen or not."""
        return frozenset(layer for layer in self.labels if self.may("record", layer))

    @property
    def managed(self) -> frozenset[str]:
        """The layers that they manage."""
        return frozenset(layer for layer in self.labels if self.may("manage", layer))

    @cached_property
    def sight(self) -> Sight:
        """What the person sees of the city."""
        return self._sight("read")

    @cached_property
    def export_sight(self) -> Sight:
        """What of it they may take out as files."""
        seen, taken = self.sight.parts or {}, self._sight("export").parts or {}
        parts = {layer: _both(seen[layer], part) for layer, part in taken.items() if layer in seen}
        return Sight(
            parts,
            self.person.known,
            self._meet("read", "export"),
            self._meet("export", "households"),
        )

    def city(self, city: City) -> City:
        """The city as the person sees it; what they do with it is kept under their name."""
        return city.seen_by(self.sight, self.doer)

    def export_city(self, city: City) -> City:
        """What of the city they may take out as files."""
        return city.seen_by(self.export_sight, self.doer)

    @property
    def doer(self) -> Doer | None:
        """Under which name things are done; None for those who are not known."""
        return Doer(self.person.id, self.person.name) if self.person.id else None

    def sees_job(self, job: Job) -> bool:
        """Whether a job is the person's own, or of a layer they manage."""
        if self.person.known and job.person == self.person.id:
            return True
        if self.person.via == "loopback":
            return True
        return self.may("manage", job.layer) if job.layer in self.labels else self.manages_all

    @property
    def manages_all(self) -> bool:
        """Whether they manage whatever there is, layers of any label and what is of none."""
        return self._in_scope("manage") and any(
            set(rules.manage.values()) == {"all"} and len(rules.manage) == 3
            for rules in self._rules
        )

    def _meet(self, one: Verb, other: Verb) -> Towns:
        """The towns for which both of two verbs hold."""
        first, second = self.towns(one), self.towns(other)
        return second if first is None else first if second is None else first & second

    def _in_scope(self, verb: Verb) -> bool:
        return self.person.scopes is None or verb in self.person.scopes

    @cached_property
    def _rules(self) -> list[RoleRules]:
        wanted = self.policy.limits.second_factor
        return [
            self.policy.rules(role)
            for role in self.person.roles
            if self.person.second_factor or role not in wanted
        ]

    def _sight(self, verb: Verb) -> Sight:
        if not self._in_scope(verb):
            return Sight({}, people=self.person.known)
        found = {layer: self._part(verb, label) for layer, label in self.labels.items()}
        parts = {layer: part for layer, part in found.items() if part is not None}
        people = self.person.known or self.person.via == "loopback"
        return Sight(parts, people, self.towns(verb), self._meet(verb, "households"))

    def _part(self, verb: Verb, label: Label) -> Part | None:
        """What of a layer a verb holds for: the most that any of the roles gives."""
        parts = [
            _narrowed(part, self._hidden(rules, label))
            for rules in self._rules
            if (part := self._whose(rules.whose(verb, label.sensitivity), label)) is not None
        ]
        if label.kind in WHOLE_KINDS:  # a ground, or points, without their heights are none
            parts = [part for part in parts if part.heights]
        if not parts:
            return None
        return min(
            parts, key=lambda part: (part.area is not None, not part.heights, len(part.hidden))
        )

    def _whose(self, whose: Whose, label: Label) -> Part | None:
        match whose:
            case "all":
                return WHOLE
            case "department":
                own = self.person.department
                return WHOLE if own is not None and own == label.department else None
            case "town":
                return self._in_towns(label)
        return None

    def _in_towns(self, label: Label) -> Part | None:
        """What of a layer lies in the person's towns; all of it where nothing lies outside."""
        if self._towns is None or label.box is None:
            return None
        box = shapely.box(*label.box)
        if self._towns.covers(box):
            return WHOLE
        if label.kind in WHOLE_KINDS or not self._towns.intersects(box):
            return None
        return Part(area=self._towns)

    @cached_property
    def _towns(self) -> shapely.Geometry | None:
        return shapely.union_all(list(self.boundaries)) if self.boundaries else None

    def _hidden(self, rules: RoleRules, label: Label) -> Part:
        """What a role hides of a layer: a part with the attributes and heights left out."""
        if label.sensitivity != "sensitive" or not rules.hides:
            return WHOLE
        groups = [self.policy.hides[name] for name in rules.hides]
        hidden = {pattern.lower() for group in groups for pattern in group.attributes}
        heights = not any(group.heights for group in groups)
        return Part(tuple(sorted(hidden)), heights, without=rules.hides)


def _sign_in(verb: Verb, what: str) -> SignInNeeded:
    return SignInNeeded(f"strangers may not {_WORDS[verb]} ({what}); sign in")


def _narrowed(part: Part, by: Part) -> Part:
    return replace(by, area=part.area) if not by.whole else part


def _both(one: Part, other: Part) -> Part:
    """What two parts have in common."""
    if one.whole or one == other:
        return other
    areas = [part.area for part in (one, other) if part.area is not None]
    return Part(
        tuple(sorted({*one.hidden, *other.hidden})),
        one.heights and other.heights,
        shapely.intersection_all(areas) if areas else None,
        tuple(sorted({*one.without, *other.without})),
    )
