"""What a request to SensorThings is answered with: questions, and entities made, changed, removed."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from cim_core.city import City
from cim_core.errors import CimError, InvalidInput, NotFound
from cim_core.store.live_things import Kind as Stored
from server.access.access import Access
from server.access.notes import Note
from server.access.taking import Taking
from server.access.verbs import Verb
from server.sensorthings import change
from server.sensorthings.answers import Answers
from server.sensorthings.bodies import New, new_entity
from server.sensorthings.conformance import service_document
from server.sensorthings.create import Creation
from server.sensorthings.desk import Desk, desk_of
from server.sensorthings.entities import Id, Item
from server.sensorthings.kinds import KINDS
from server.sensorthings.observations import Sent, rows_of, sent
from server.sensorthings.options import Options, options_of
from server.sensorthings.paths import Found, OfMany, OfOne, OfValue, Step, resolve, steps
from server.sensorthings.recording import Recording
from server.sensorthings.times import Span
from server.sensorthings.world import World

_WEIGHTS: tuple[Verb, ...] = ("read", "record", "manage")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back: JSON, plain text, or nothing.

    link
        Where what was made is found.
    """

    status: int
    body: Any = None
    text: str | None = None
    link: str | None = None


@dataclass
class Service:
    """SensorThings for one request of somebody.

    root
        Its address.
    whole, city
        The city with all that is in it, and as whoever asks sees it.
    taking
        What counts the places that are told.
    note
        What the log is to have.
    """

    root: str
    whole: City
    city: City
    access: Access
    recording: Recording
    taking: Taking
    note: Note = field(default_factory=Note)
    _begun: list[tuple[Desk, Sequence[tuple[Stored, int]]]] = field(default_factory=list)

    def get(self, path: str, raw: Mapping[str, str]) -> Answer:
        """Answer a question; raises `NotFound`, `InvalidInput`."""
        if not path:
            return Answer(200, service_document(self.root))
        self._does("read")
        world = World(self.city)
        found = resolve(world, path)
        answers = Answers(self.root, world)
        match found.target:
            case OfMany() as target:
                answer = self._many(answers, target, found, raw, path)
            case OfOne(item) if found.how == "$ref":
                [told] = answers.references([item])
                answer = Answer(200, told)
            case OfOne(item):
                answer = Answer(200, answers.one(item, options_of(KINDS[item.kind], raw)))
            case OfValue(_, names) as target:
                answer = _value(names[-1], answers.value(target), found.how)
        self._shows(answers)
        return answer

    def create(self, path: str, given: object) -> Answer:
        """Make an entity in a set; raises what says why not."""
        if path == "CreateObservations":
            return self._data_array(given)
        target = self._set(path)
        if target.kind.name == "Observations":
            return self._observation(target, given)
        self._does("manage")
        new = new_entity(target.kind, given)
        with desk_of(self.whole, self.city, self.access) as desk:
            creation = Creation(desk)
            number = creation.create(new, _parents(target))
            self._noted(desk, cast(Stored, target.kind.name), number)
            observations = [
                self._sent(desk, creation, of, one) for of, one in creation.observations
            ]
        if observations:
            self._begun.append((desk, creation.made))
            self._record_inside(observations)
        link = f"{self.root}/{target.kind.name}({number})"
        return Answer(201, self._told(target.kind.name, number), link=link)

    def change(self, path: str, given: object, how: change.How) -> Answer:
        """Write an entity anew, in part or as a whole; raises what says why not."""
        self._does("manage")
        item = self._one(path)
        kind, number = change.stored(item)
        with desk_of(self.whole, self.city, self.access) as desk:
            self._noted(desk, kind, desk.get(kind, number).id)
            change.change(desk, item, given, how)
        return Answer(200, self._told(item.kind, item.id))

    def remove(self, path: str) -> Answer:
        """Remove an entity and what the standard removes with it; raises what says why not."""
        self._does("manage")
        item = self._one(path)
        kind, number = change.stored(item)
        with desk_of(self.whole, self.city, self.access) as desk:
            self._noted(desk, kind, desk.get(kind, number).id)
            change.remove(desk, item)
        return Answer(200)

    def _does(self, verb: Verb) -> None:
        """Note what is done: of all that a batch does, what weighs most."""
        if self.note.verb is None or _WEIGHTS.index(verb) > _WEIGHTS.index(self.note.verb):
            self.note.verb = verb

    def _many(
        self, answers: Answers, target: OfMany, found: Found, raw: Mapping[str, str], path: str
    ) -> Answer:
        options = options_of(target.kind, raw)
        if found.how == "$count":
            return Answer(200, text=str(answers.count(target, options)))
        address = f"{self.root}/{path}"
        if found.how == "$ref":
            return Answer(200, answers.many_references(target, options, address))
        return Answer(200, answers.many(target, options, address))

    def _set(self, path: str) -> OfMany:
        """The set that something is to be made in.

        For observations of a datastream nothing is looked up here: whose key is good for recording
        only sees nothing.
        """
        observed = KINDS["Observations"]
        match steps(path):
            case [Step("Observations", None)]:
                return OfMany(observed)
            case [Step("Datastreams", int() as number), Step("Observations", None)]:
                return OfMany(observed, Item("Datastreams", number, {}), "Observations")
        target = resolve(World(self.city), path).target
        if not isinstance(target, OfMany):
            raise InvalidInput(f"nothing can be made at {path[:80]}; send it to a set")
        return target

    def _told(self, kind: str, number: Id) -> Any:
        """What whoever sent it is told of an entity; its layer may be newer than what they see."""
        world = World(self.whole)
        item = world.get(kind, number)
        return None if item is None else Answers(self.root, world).one(item, Options())

    def _one(self, path: str) -> Item:
        target = resolve(World(self.city), path).target
        if not isinstance(target, OfOne):
            raise InvalidInput(f"{path[:80]} is no single entity; name one, as in Things(1)")
        return target.item

    def _shows(self, answers: Answers) -> None:
        """Note the layers that an answer is of, and count the places it tells."""
        self.note.looked_at(answers.layers)
        for layer, places in answers.places.items():
            self.taking.shows_places(layer, places)

    def _noted(self, desk: Desk, kind: Stored, number: int) -> None:
        self.note.looked_at(desk.layers(kind, number))

    def _observation(self, target: OfMany, given: object) -> Answer:
        """Record one observation, sent to all, to a datastream, or to a feature of interest."""
        self._does("record")
        new = new_entity(target.kind, given)
        of, feature = _ends(new)
        parent = target.parent
        inside = parent is not None and parent.kind == "Datastreams"
        if parent is not None:
            of, feature = (parent.id, feature) if inside else (of, parent.id)
        if of is None:
            raise InvalidInput("an Observation needs a Datastream; send it, or a link to one")
        datastream = self.recording.datastream(of, linked=not inside)
        with self._wholly():
            one = sent(datastream, new.body, _now(), self._feature(of, new, feature))
            [problem], known = self.recording.record([one])
            if problem:
                raise InvalidInput(f"the observation is not believed ({problem}); correct it")
        link = f"{self.root}/Observations('{one.id}')"
        if known:  # the first that came is what is kept; a device that may not look is not told
            seen = datastream in self.city.live.streams().by_id
            told = self._told("Observations", one.id) if seen else None
            return Answer(201, told or {"@iot.id": one.id, "@iot.selfLink": link}, link=link)
        end = int(str(one.more.get("phenomenonEnd", one.time)))
        told = {"@iot.id": one.id, "@iot.selfLink": link, **new.body}
        return Answer(201, told | {"phenomenonTime": Span(one.time, end).text}, link=link)

    def _data_array(self, given: object) -> Answer:
        """Record many; for each its address, or `error` with the reason."""
        self._does("record")
        told: list[str] = []
        observations: list[tuple[int, Sent]] = []
        now = _now()
        for row in rows_of(given):
            told.append(f"error: {row.error}")
            if row.new is None:
                continue
            try:
                of = self.recording.datastream(row.datastream)
                feature = self._feature(of, row.new, row.feature)
                observations.append((len(told) - 1, sent(of, row.new.body, now, feature)))
            except CimError as error:
                told[-1] = f"error: {error.sentence}"
        with self._wholly():
            problems, _ = self.recording.record([one for _, one in observations])
        for (place, one), problem in zip(observations, problems, strict=True):
            link = f"{self.root}/Observations('{one.id}')"
            told[place] = f"error: {problem}" if problem else link
        return Answer(201, told)

    def _feature(self, of: Id, new: New, feature: Id | None) -> int | None:
        """The feature of interest of an observation, made where it was sent inside."""
        ends = new.links.get("FeatureOfInterest", ())
        inside = next((end for end in ends if isinstance(end, New)), None)
        if inside is None and not isinstance(feature, int):
            return None  # where its thing stands
        with desk_of(self.whole, self.city, self.access) as desk:
            creation = Creation(desk)
            number = creation.feature(self.recording.datastream(of), inside, feature)
        self._begun.append((desk, creation.made))
        return number

    def _sent(self, desk: Desk, creation: Creation, of: int, new: New) -> Sent:
        """An observation that was sent inside another entity."""
        desk.require(desk.layers("Datastreams", of), "record")
        ends = new.links.get("FeatureOfInterest", ())
        inside = next((end for end in ends if isinstance(end, New)), None)
        feature = next((end for end in ends if isinstance(end, int)), None)
        tied = None if inside is None and feature is None else creation.feature(of, inside, feature)
        return sent(of, new.body, _now(), tied)

    def _record_inside(self, observations: list[Sent]) -> None:
        """Record what was sent inside an entity; where that fails, all is as it was before."""
        with self._wholly():
            problems, _ = self.recording.record(observations)
            problem = next(filter(None, problems), None)
            if problem is not None:
                raise InvalidInput(f"an observation inside is not believed ({problem}); correct it")

    @contextmanager
    def _wholly(self) -> Iterator[None]:
        """What was made for observations goes again if these are not kept, for whatever reason."""
        try:
            yield
        except Exception:
            if self._begun:
                with desk_of(self.whole, self.city, self.access) as later:
                    for desk, made in reversed(self._begun):
                        later.undo(desk, made)
            raise


def _ends(new: New) -> tuple[Id | None, Id | None]:
    """The datastream and the feature of interest that an observation names."""
    of = next(iter(new.links.get("Datastream", ())), None)
    if isinstance(of, New):
        raise InvalidInput("the Datastream of an Observation is a link; make it first")
    feature = next(iter(new.links.get("FeatureOfInterest", ())), None)
    return of, None if isinstance(feature, New) else feature


def _parents(target: OfMany) -> dict[str, list[int]]:
    """What an entity is linked with by where it is sent to."""
    if target.parent is None:
        return {}
    ways = target.kind.ways
    back = next(name for name, way in ways.items() if way.to == target.parent.kind)
    if not isinstance(target.parent.id, int):
        raise NotFound(
            f"nothing can be made at {target.way} of {target.parent.id}; send it to a set of its own"
        )
    return {back: [target.parent.id]}


def _value(name: str, value: object, how: str) -> Answer:
    if value is None:
        return Answer(204)
    if how == "$value":
        return (
            Answer(200, value) if isinstance(value, dict | list) else Answer(200, text=str(value))
        )
    return Answer(200, {"@iot.id" if name == "id" else name: value})


def _now() -> int:
    return int(time.time() * 1000)
