/** One person: what is known, what they may, how they get in. */
import { h, icon, iconButton, replace } from "../dom";
import { formatTime, t } from "../i18n";
import { Signal } from "../signal";
import { errorText } from "../ui/errors";
import { facts } from "../ui/receipt";
import { toast } from "../ui/toast";
import { office } from "./api";
import type { Desk } from "./desk";
import { refusal, selectField, textField, ticks } from "./form";
import { roleName } from "./names";
import { excludeEachOther, inOrder } from "./roles";
import { stateTags } from "./tags";
import { confirm, tell } from "./told";
import { ROLES, type Person, type PersonChange } from "./types";

type Draft = PersonChange & { name: string; sso: boolean };

const NOBODY: Draft = { name: "", title: "", roles: [], towns: [], department: null, sso: false };

function draftOf({ name, title, roles, towns, department, sso }: Person): Draft {
  return { name, title, roles: [...roles], towns: [...towns], department, sso };
}

function same(a: Draft, b: Draft): boolean {
  const told = (draft: Draft) => JSON.stringify({ ...draft, roles: inOrder(draft.roles), towns: [...draft.towns].sort() });
  return told(a) === told(b);
}

export class PersonPanel {
  readonly element = h("aside", { class: "office-detail", hidden: true });
  readonly changed = new Signal();
  person: Person | null = null;
  private draft: Draft | null = null;
  /** Why something was not done, in the language of then. */
  private refused: (() => string) | null = null;
  private busy = false;

  constructor(private readonly desk: Desk) {}

  show(person: Person): void {
    this.person = person;
    this.edit(draftOf(person));
  }

  /** A form for somebody new. */
  begin(): void {
    this.person = null;
    this.edit({ ...NOBODY });
    this.element.querySelector<HTMLElement>("#person-name")?.focus();
  }

  close(): void {
    this.person = null;
    this.draft = null;
    this.draw();
    this.changed.emit();
  }

  /** Takes over what the server says of the person now, unless something is being edited. */
  follow(): void {
    const { person, draft } = this;
    if (!person || !draft) return;
    const now = this.desk.people.value?.find(({ id }) => id === person.id);
    if (!now) return;
    const edited = !same(draft, draftOf(person));
    this.person = now;
    if (!edited) this.draft = draftOf(now);
    this.draw();
  }

  private edit(draft: Draft): void {
    this.draft = draft;
    this.refused = null;
    this.draw();
    this.element.scrollTop = 0;
    this.changed.emit();
  }

  draw(): void {
    const { draft, person } = this;
    this.element.hidden = draft === null;
    if (!draft) return;
    const focused = document.activeElement?.id;
    const scrolled = this.element.querySelector(".detail-scroll")?.scrollTop ?? 0;
    this.element.setAttribute("aria-label", t(person ? "person.edit" : "person.new"));
    replace(
      this.element,
      h(
        "header",
        {},
        h("div", {}, h("h2", {}, person ? person.name : t("person.new")), person && stateTags(person)),
        iconButton("close", t("dialog.close"), () => this.close()),
      ),
      h("div", { class: "detail-scroll" }, this.form(draft, person), person && this.access(person)),
    );
    const scroll = this.element.querySelector(".detail-scroll");
    if (scroll) scroll.scrollTop = scrolled;
    if (focused) this.element.querySelector<HTMLElement>(`#${CSS.escape(focused)}`)?.focus({ preventScroll: true });
  }

  private form(draft: Draft, person: Person | null): HTMLElement {
    const { desk } = this;
    const towns = (desk.towns.value ?? []).map(({ id }) => ({ value: id, label: desk.townName(id) }));
    const departments = (desk.departments.value ?? []).map(({ id }) => ({ value: id, label: desk.departmentName(id) }));
    if (draft.department !== null && !departments.some(({ value }) => value === draft.department)) {
      departments.push({ value: draft.department, label: draft.department });
    }
    const save = h("button", { type: "submit", class: "button primary" }, t(person ? "office.save" : "people.add"));
    const discard = h(
      "button",
      { type: "button", class: "button", on: { click: () => (person ? this.show(person) : this.close()) } },
      t(person ? "office.discard" : "office.cancel"),
    );
    const message = h("div", { class: "form-message" }, this.refusal());
    const sync = () => {
      const edited = !person || !same(draft, draftOf(person));
      save.disabled = this.busy || !edited;
      discard.disabled = this.busy || (person !== null && !edited);
    };
    const change = (part: Partial<Draft>) => {
      Object.assign(draft, part);
      sync();
    };
    sync();
    return h(
      "form",
      {
        class: "detail-form",
        on: {
          submit: (event: SubmitEvent) => {
            event.preventDefault();
            void this.save();
          },
        },
      },
      !person &&
        textField({
          id: "person-name", label: t("person.name"), hint: t("person.nameHint"), value: draft.name, required: true,
          maxlength: 64, set: (name) => change({ name }),
        }),
      textField({ id: "person-title", label: t("person.title"), hint: t("person.titleHint"), value: draft.title, set: (title) => change({ title }) }),
      ticks({
        id: "person-roles", legend: t("people.roles"), hint: t("person.apart"), chosen: draft.roles,
        options: ROLES.map((role) => ({ value: role, label: roleName(role), hint: t(`role.${role}.hint`) })),
        set: (roles) => {
          change({ roles: inOrder(roles) });
          this.refused = excludeEachOther(roles) ? () => t("person.apartRefused") : null;
          replace(message, this.refusal());
        },
      }),
      ticks({
        id: "person-towns", legend: t("people.towns"), hint: t("person.townsHint"), chosen: draft.towns, options: towns,
        empty: t("person.noTowns"), set: (chosen) => change({ towns: chosen }),
      }),
      selectField({
        id: "person-department", label: t("people.department"), value: draft.department ?? "",
        options: [{ value: "", label: t("person.noDepartment") }, ...departments],
        set: (department) => change({ department: department || null }),
      }),
      !person &&
        ticks({
          id: "person-sso", legend: t("person.signsIn"), chosen: draft.sso ? ["sso"] : [],
          options: [{ value: "sso", label: t("person.sso"), hint: t("people.ssoHint") }],
          set: (chosen) => change({ sso: chosen.length > 0 }),
        }),
      message,
      h("div", { class: "form-actions" }, save, discard),
    );
  }

  private async save(): Promise<void> {
    const { draft, person } = this;
    if (!draft || this.busy) return;
    if (excludeEachOther(draft.roles)) return this.refuse(() => t("person.apartRefused"));
    const { name, sso, ...change } = draft;
    await this.during(async () => {
      if (person) {
        this.take(await office.changePerson(person.id, change));
        toast(t("person.saved", { name: person.name }));
        return;
      }
      const { password, ...made } = await office.addPerson({ name: name.trim(), sso, ...change });
      this.person = made;
      this.take(made);
      toast(t("person.added", { name: made.name }));
      if (password !== undefined) this.tellPassword(made, password);
    });
  }

  /** How somebody gets in, and is kept out. */
  private access(person: Person): HTMLElement {
    const action = (label: string, name: "key" | "share" | "unlock" | "close" | "check" | "refresh", run: () => Promise<void>) =>
      h("button", { type: "button", class: "button small", id: `person-${name}`, disabled: this.busy, on: { click: () => void this.during(run) } }, icon(name), label);
    return h(
      "section",
      { class: "detail-section" },
      h("h3", {}, t("person.access")),
      h(
        "div",
        { class: "detail-actions" },
        person.locked && action(t("person.unlock"), "unlock", async () => this.take(await office.unlock(person.id))),
        !person.sso && action(t("person.newPassword"), "key", async () => this.tellPassword(person, (await office.newPassword(person.id)).password)),
        // No link gets past a second factor, or the city's own service.
        person.active && !person.sso && !person.totp && action(t("person.link"), "share", async () => this.tellLink(person, await office.signInLink(person.id))),
        person.totp &&
          h(
            "button",
            { type: "button", class: "button small", id: "person-second-factor", disabled: this.busy, on: { click: () => this.askSecondFactor(person) } },
            icon("close"),
            t("person.removeSecondFactor"),
          ),
        person.active
          ? h(
              "button",
              { type: "button", class: "button small", id: "person-deactivate", disabled: this.busy, on: { click: () => this.askDeactivate(person) } },
              icon("lock"),
              t("person.deactivate"),
            )
          : action(t("person.activate"), "check", async () => this.take(await office.changePerson(person.id, { active: true }))),
      ),
      facts([
        [t("person.lastSignedIn"), person.last_signed_in ? formatTime(person.last_signed_in) : t("people.never")],
        [t("person.created"), formatTime(person.created)],
        [t("person.secondFactor"), t(person.totp ? "office.on" : "office.off")],
        [t("person.id"), h("code", {}, person.id)],
      ]),
    );
  }

  private askDeactivate(person: Person): void {
    confirm(t("person.deactivate"), t("person.deactivateAsked", { name: person.name }), t("person.deactivate"), () =>
      this.during(async () => this.take(await office.changePerson(person.id, { active: false }))),
    );
  }

  private askSecondFactor(person: Person): void {
    confirm(t("person.removeSecondFactor"), t("person.removeSecondFactorAsked", { name: person.name }), t("office.remove"), () =>
      this.during(async () => {
        await office.removeSecondFactor(person.id);
        this.take({ ...person, totp: false });
      }),
    );
  }

  private tellPassword(person: Person, password: string): void {
    tell({
      title: t("person.password"),
      explained: t("person.passwordOf", { name: person.name }),
      label: t("person.password"),
      text: password,
      note: t("person.toldOnce"),
    });
  }

  private tellLink(person: Person, { href, expires }: { href: string; expires: string }): void {
    tell({
      title: t("person.link"),
      explained: t("person.linkOf", { name: person.name }),
      label: t("person.link"),
      text: new URL(href, location.origin).href,
      note: t("person.linkNote", { time: formatTime(expires) }),
    });
  }

  /** Puts what the server says of a person into the list of people. */
  private take(person: Person): void {
    const people = this.desk.people.value ?? [];
    const known = people.some(({ id }) => id === person.id);
    if (this.person?.id === person.id) {
      this.person = person;
      this.draft = draftOf(person);
    }
    this.desk.people.set(known ? people.map((one) => (one.id === person.id ? person : one)) : [...people, person]);
    this.changed.emit();
  }

  private refusal(): HTMLElement | null {
    return refusal(this.refused?.() ?? null);
  }

  private refuse(sentence: () => string): void {
    this.refused = sentence;
    this.draw();
    this.element.querySelector(".refusal")?.scrollIntoView({ block: "nearest" });
  }

  private async during(run: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.refused = null;
    this.draw();
    try {
      await run();
    } catch (error) {
      this.busy = false;
      this.refuse(() => errorText(error));
      return;
    }
    this.busy = false;
    this.draw();
  }
}
