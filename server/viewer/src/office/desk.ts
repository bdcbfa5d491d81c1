/** What the pages of the office share: who is here, and what the server told. */
import type { Account } from "../account";
import type { Collection } from "../data/types";
import { api } from "../data/api";
import { localized } from "../i18n";
import { Signal } from "../signal";
import { office } from "./api";
import type { Filters } from "./logFilters";
import { Source } from "./source";
import type { Department, Person, Session, Town } from "./types";

export class Desk {
  readonly people = new Source<Person[]>(office.people);
  readonly departments = new Source<Department[]>(office.departments);
  readonly towns = new Source<Town[]>(office.towns);
  readonly layers = new Source<Collection[]>(api.collections);
  /** What of the log somebody wants to see. */
  readonly logAsked = new Signal<Filters>();

  constructor(readonly own: Account) {}

  get session(): Session {
    return this.own.session;
  }

  may(verb: string): boolean {
    return this.session.may.includes(verb);
  }

  townName(id: string): string {
    return localized(this.towns.value?.find((town) => town.id === id)?.title) || id;
  }

  departmentName(id: string): string {
    return localized(this.departments.value?.find((one) => one.id === id)?.title) || id;
  }

  personName(id: string): string {
    const found = this.people.value?.find((person) => person.id === id);
    return found ? found.title || found.name : id;
  }
}
