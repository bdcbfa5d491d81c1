/** People: who there is, and what each of them may. */
import { h, icon, replace } from "../dom";
import { formatTime, languageChanged, t } from "../i18n";
import type { Desk } from "./desk";
import { select } from "./form";
import { List, named, shownOf } from "./list";
import { comma, roleName } from "./names";
import { PersonPanel } from "./personPanel";
import { inOrder } from "./roles";
import { stateTags } from "./tags";
import { ROLES, type Person } from "./types";

interface PeopleFilter {
  text: string;
  role: string;
  town: string;
  department: string;
}

export function fits(person: Person, filter: PeopleFilter): boolean {
  const text = filter.text.trim().toLocaleLowerCase();
  return (
    (!text || [person.name, person.title, person.id].some((word) => word.toLocaleLowerCase().includes(text))) &&
    (!filter.role || person.roles.includes(filter.role)) &&
    (!filter.town || person.towns.includes(filter.town)) &&
    (!filter.department || person.department === filter.department)
  );
}

export function peoplePage(desk: Desk): HTMLElement {
  const filter: PeopleFilter = { text: "", role: "", town: "", department: "" };
  const bar = h("div", { class: "office-bar" });
  const count = h("p", { class: "muted", role: "status" });
  const panel = new PersonPanel(desk);
  const list = new List<Person>({
    label: () => t("tab.people"),
    id: (person) => person.id,
    open: (person) => panel.show(person),
    selected: () => panel.person?.id ?? null,
    columns: () => [
      {
        title: "people.name",
        width: "24%",
        order: (person) => person.name,
        cell: (person) => named(person.name, person.title),
      },
      {
        title: "people.roles",
        width: "27%",
        order: (person) => inOrder(person.roles).map(roleName).join(),
        cell: (person) =>
          person.roles.length === 0
            ? h("span", { class: "muted" }, t("people.noRoles"))
            : h("span", { class: "tags" }, ...inOrder(person.roles).map((role) => h("span", { class: "tag" }, roleName(role)))),
      },
      {
        title: "people.scope",
        order: (person) => scope(person).join(),
        cell: (person) => h("span", { class: "two-lines" }, ...scope(person).map((line) => h("span", {}, line))),
      },
      {
        title: "people.lastSignedIn",
        width: "17%",
        order: (person) => person.last_signed_in ?? "",
        cell: (person) => (person.last_signed_in ? formatTime(person.last_signed_in) : h("span", { class: "muted" }, t("people.never"))),
      },
      {
        title: "people.state",
        width: "13%",
        order: (person) => `${person.active}${person.locked}`,
        cell: (person) => stateTags(person),
      },
    ],
  });
  const scope = (person: Person) => [
    ...(person.towns.length > 0 ? [person.towns.map((town) => desk.townName(town)).join(comma())] : []),
    ...(person.department === null ? [] : [desk.departmentName(person.department)]),
  ];

  const search = h("input", {
    type: "search",
    on: {
      input: () => {
        filter.text = search.value;
        draw();
      },
    },
  });
  const any = (key: "people.anyRole" | "people.anyTown" | "people.anyDepartment") => ({ value: "", label: t(key) });
  const drawBar = () => {
    search.placeholder = t("people.search");
    search.setAttribute("aria-label", t("people.search"));
    const choose = (name: "role" | "town" | "department", label: string, options: { value: string; label: string }[]) =>
      select(
        {
          id: `people-${name}`,
          value: filter[name],
          options,
          set: (value) => {
            filter[name] = value;
            draw();
          },
        },
        { "aria-label": label },
      );
    const towns = (desk.towns.value ?? []).map(({ id }) => ({ value: id, label: desk.townName(id) }));
    const departments = (desk.departments.value ?? []).map(({ id }) => ({ value: id, label: desk.departmentName(id) }));
    const focused = document.activeElement?.id;
    replace(
      bar,
      h("div", { class: "office-search" }, icon("search"), search),
      choose("role", t("people.roles"), [any("people.anyRole"), ...ROLES.map((role) => ({ value: role, label: roleName(role) }))]),
      choose("town", t("people.towns"), [any("people.anyTown"), ...towns]),
      choose("department", t("people.department"), [any("people.anyDepartment"), ...departments]),
      count,
      h(
        "button",
        { type: "button", class: "button primary end", on: { click: () => panel.begin() } },
        icon("plus"),
        t("people.add"),
      ),
    );
    if (focused) document.getElementById(focused)?.focus();
  };
  const draw = () => {
    const empty = t(desk.people.value?.length ? "people.noMatch" : "people.none");
    const shown = shownOf(desk.people, (people) => people.filter((person) => fits(person, filter)), empty);
    count.textContent = shown.rows ? t("people.count", { n: shown.rows.length, all: desk.people.value!.length }) : "";
    list.show(shown);
  };
  const drawAll = () => {
    drawBar();
    draw();
  };
  desk.people.changed.on(() => {
    draw();
    panel.follow();
  });
  panel.changed.on(() => list.mark());
  for (const source of [desk.towns, desk.departments]) {
    source.changed.on(() => {
      drawAll();
      panel.draw();
    });
  }
  languageChanged.on(() => {
    drawAll();
    panel.draw();
  });
  drawAll();
  return h("div", { class: "office-page" }, bar, h("div", { class: "office-split" }, list.element, panel.element));
}
