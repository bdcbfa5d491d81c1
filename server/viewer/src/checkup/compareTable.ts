/** Two check-ups side by side: what got better, what got worse, and where the method is not the same. */
import { h, icon, replace } from "../dom";
import { languageChanged, localized, t } from "../i18n";
import { inOrder, sortHead, type SortKey } from "../ui/sorting";
import { compared } from "./changeOf";
import type { Course } from "./classes";
import type { Store } from "./store";
import type { Change, RunSummary } from "./types";
import { standingLamp, standingOf, unitOf, valueText } from "./words";

/** How a change is told; a changed method leaves better and worse open. */
export function courseOfChange({ change, better }: Pick<Change, "change" | "better">): Course {
  if (change === null) return "unknown";
  if (change === 0) return "same";
  if (better === null) return change > 0 ? "up" : "down";
  return better ? "better" : "worse";
}

const RANK: Record<Course, number> = { worse: 0, better: 1, up: 2, down: 2, same: 3, unknown: 4 };

const KEYS: Record<string, (change: Change) => SortKey> = {
  course: (change) => RANK[courseOfChange(change)],
  code: ({ code }) => code,
  name: ({ name }) => localized(name),
  method: ({ method_changed }) => Number(!method_changed),
};

export function compareTable(store: Store): HTMLElement {
  const sorted = { id: "course", down: false };
  const earlier = h("select", { name: "from", on: { change: () => store.compareWith(earlier.value) } });
  const sums = h("div", { class: "course-sums" });
  const label = h("label", { class: "compare-with" });
  const head = h("tr");
  const body = h("tbody");
  const none = h("p", { class: "empty-note" });
  const element = h(
    "section",
    { class: "compare-stage" },
    h("header", {}, label, sums),
    h("div", { class: "projects-scroll", tabindex: 0, role: "region" }, h("table", { class: "compare-table" }, h("thead", {}, head), body), none),
  );
  const columns = () => [
    { id: "course", name: () => t("checkup.compare.change") },
    { id: "code", name: () => t("checkup.table.code") },
    { id: "name", name: () => t("checkup.table.name") },
    { id: "before", name: () => String(store.earlier?.year ?? ""), number: true, fixed: true },
    { id: "after", name: () => String(store.summary?.year ?? ""), number: true, fixed: true },
    { id: "method", name: () => t("checkup.compare.method") },
  ];
  const sortBy = (id: string) => {
    sorted.down = id === sorted.id && !sorted.down;
    sorted.id = id;
    draw();
    head.querySelector<HTMLElement>("[aria-sort] button")?.focus();
  };
  const figure = (change: Change, of: "from" | "to") => {
    const value = change[of];
    return h("td", { class: "number" }, value ? h("span", { class: "compare-figure" }, standingLamp(standingOf(value)), h("b", {}, valueText(change, value.value)), h("small", {}, unitOf(change))) : h("span", { class: "muted" }, t(of === "from" ? "checkup.compare.notThen" : "checkup.compare.notNow")));
  };
  const draw = () => {
    const { earlier: other, summary, changes } = store;
    element.querySelector(".projects-scroll")!.setAttribute("aria-label", t("checkup.view.compare"));
    replace(earlier, ...store.overview.runs.filter(({ id }) => id !== summary?.id).map((run) => h("option", { value: run.id }, runName(run))));
    earlier.value = other?.id ?? "";
    replace(label, h("span", {}, t("checkup.compare.with")), earlier);
    label.hidden = other === null;
    const count = (course: Course) => changes.filter((change) => courseOfChange(change) === course).length;
    replace(sums, ...(["better", "worse", "same"] as const).map((course) => h("span", { class: `course ${course}` }, h("i", { "aria-hidden": "true" }, { better: "▲", worse: "▼", same: "=" }[course]), h("span", {}, `${t(`checkup.course.${course}`)} ${count(course)}`))));
    replace(head, ...sortHead(columns(), sorted, sortBy));
    replace(
      body,
      ...inOrder(changes, KEYS[sorted.id]!, sorted.down, ({ code }) => code).map((change) =>
        h(
          "tr",
          { "data-code": change.code, class: change.code === store.indicator?.code ? "chosen" : "", on: { click: () => change.to && store.choose(change.code) } },
          h("td", {}, compared(change, courseOfChange(change), change.from?.value ?? null, change.to?.value ?? null)),
          h("td", {}, h("code", {}, change.code)),
          h("th", { scope: "row" }, h("button", { type: "button", class: "link", disabled: change.to === null, title: localized(change.name), on: { click: () => store.choose(change.code) } }, localized(change.name))),
          figure(change, "from"),
          figure(change, "to"),
          h("td", {}, change.what ? h("span", { class: change.method_changed ? "method-changed" : "muted", title: localized(change.what) }, change.method_changed && icon("warning"), localized(change.what)) : ""),
        ),
      ),
    );
    none.hidden = changes.length > 0;
    none.textContent = t(other === null ? "checkup.compare.alone" : "checkup.evidence.loading");
  };
  store.loaded.on(draw);
  store.known.on(draw);
  store.compared.on(draw);
  store.chosenChanged.on(draw);
  languageChanged.on(draw);
  draw();
  return element;
}

/** What tells runs apart comes first, as lists have little room. */
export function runName({ id, set_name, title, state }: Pick<RunSummary, "id" | "set_name" | "title" | "state">): string {
  return `${id}${state === "submitted" ? "" : t("checkup.run.draftMark")} ${title || localized(set_name)}`;
}
