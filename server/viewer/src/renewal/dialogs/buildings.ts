/** The state of buildings: some are ticked, and all of them are in a state from a day on. */
import { h, replace } from "../../dom";
import { formatNumber, localized, t } from "../../i18n";
import { toast } from "../../ui/toast";
import { today } from "../days";
import { isOutOfDate } from "../../data/writing";
import { writing } from "../orders/api";
import type { Desk } from "../orders/desk";
import type { BuildingDocument, Subject } from "../orders/types";
import type { ProjectDetail } from "../types";
import { errorText } from "../../ui/errors";
import { input, openForm, row, select } from "../../ui/keptForm";

type Stored = Subject<BuildingDocument>;

/** The first state, where nothing was said of one. */
const FIRST = "unsigned";

export async function openBuildings(desk: Desk, project: ProjectDetail): Promise<void> {
  const states = Object.entries(desk.store.overview.words.building_states);
  const title = (id: string | undefined) => localized(states.find(([one]) => one === (id ?? FIRST))?.[1]) || (id ?? "");
  const ticked = new Set<string>();
  let all: Stored[] = [];
  const from = select("building-from", t("buildings.filter"), [["", t("buildings.anyState")], ...states.map(([id, name]) => [id, localized(name)] as const)], "");
  const search = input("building-search", t("buildings.search"), { type: "search" });
  const to = select("building-to", t("buildings.to"), states.map(([id, name]) => [id, localized(name)] as const), "signed");
  const effective = input("building-effective", t("form.effective"), { type: "date", required: true, max: today(), value: desk.day }, { hint: t("form.effectiveHint") });
  const body = h("tbody", {}, h("tr", {}, h("td", { colspan: 4 }, t("chosen.loading"))));
  const counted = h("p", { class: "muted", role: "status" });
  const every = h("input", { type: "checkbox", "aria-label": t("buildings.all") });

  const shown = () => {
    const wanted = search.control.value.trim().toLowerCase();
    return all.filter(({ id, document: { name, state } }) => (from.control.value === "" || (state ?? FIRST) === from.control.value) && `${id} ${name ?? ""}`.toLowerCase().includes(wanted));
  };
  const count = () => {
    const found = shown();
    counted.textContent = t("buildings.chosen", { n: formatNumber(ticked.size), all: formatNumber(all.length) });
    every.checked = found.length > 0 && found.every(({ id }) => ticked.has(id));
  };
  const line = ({ id, document: { name, state, floor_area } }: Stored) => {
    const box = h("input", {
      type: "checkbox",
      value: id,
      "aria-label": name || id,
      on: {
        change: () => {
          if (box.checked) ticked.add(id);
          else ticked.delete(id);
          count();
        },
      },
    });
    box.checked = ticked.has(id);
    return h("tr", {}, h("td", {}, box), h("th", { scope: "row" }, name || id, !!name && h("span", { class: "muted" }, ` ${id}`)), h("td", {}, title(state)), h("td", { class: "number" }, floor_area === undefined ? "" : `${formatNumber(floor_area, 0)} m²`));
  };
  const draw = () => {
    const found = shown();
    replace(body, ...found.map(line), found.length === 0 && h("tr", {}, h("td", { colspan: 4, class: "muted" }, t("buildings.noneFound"))));
    count();
  };
  every.addEventListener("change", () => {
    for (const { id } of shown()) {
      if (every.checked) ticked.add(id);
      else ticked.delete(id);
    }
    draw();
  });
  from.control.addEventListener("change", draw);
  search.control.addEventListener("input", draw);

  const load = async () => {
    all = await writing.buildings(project.id);
    draw();
  };
  const send = async () => {
    const state = to.control.value;
    const chosen = all.filter(({ id }) => ticked.has(id));
    if (chosen.length === 0) throw new Error(t("buildings.chooseSome"));
    try {
      for (const one of chosen) {
        if ((one.document.state ?? FIRST) !== state) await writing.changeBuilding(one.id, one.version, effective.control.value, { state });
        ticked.delete(one.id); // it need not be changed again where the next one is refused
      }
    } catch (error) {
      if (!isOutOfDate(error)) await load();
      throw error;
    }
    toast(t("buildings.saved", { n: chosen.length }));
    await desk.after();
  };
  const again = async () => {
    const before = new Map(all.map((one) => [one.id, one.version]));
    await load();
    const others = all.filter(({ id, version }) => ticked.has(id) && before.get(id) !== version);
    return h("ul", {}, ...others.map(({ id, document, by }) => h("li", {}, t("buildings.now", { name: document.name || id, state: title(document.state), who: by ?? "–" }))));
  };
  openForm({
    key: `buildings ${project.id}`,
    title: t("buildings.change"),
    about: project.name,
    wide: true,
    parts: [
      row(search, from),
      h(
        "div",
        { class: "table-scroll tall" },
        h("table", { class: "data-table form-table" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, every), ...[t("buildings.name"), t("buildings.state"), t("buildings.area")].map((name) => h("th", { scope: "col" }, name)))), body),
      ),
      counted,
      row(to, effective),
    ],
    action: t("buildings.send"),
    send,
    again,
  });
  await load().catch((error: unknown) => replace(body, h("tr", {}, h("td", { colspan: 4, class: "error-text" }, errorText(error)))));
}
