/** Who changed what of a project, when it was recorded and from when it holds. */
import { h, replace } from "../../dom";
import { t } from "../../i18n";
import { errorText } from "../../ui/errors";
import { writing } from "../orders/api";
import type { Desk } from "../orders/desk";
import type { Page } from "../orders/list";
import type { Kind } from "../orders/types";
import type { ProjectDetail } from "../types";
import { eventList } from "./events";

const KINDS: readonly Kind[] = ["project", "task", "progress", "building", "order", "evidence", "household"];
const MOST = 200;

export function historyPage(desk: Desk, project: ProjectDetail): Page {
  const { store } = desk;
  const shown = h("div", {}, h("p", { class: "empty-note" }, t("chosen.loading")));
  // Nobody is told of kinds that they may not see.
  const kinds = KINDS.filter((kind) => kind !== "household" || store.may("households", project.town));
  const select = h(
    "select",
    { "aria-label": t("history.kind"), on: { change: () => void load() } },
    h("option", { value: "" }, t("history.allKinds")),
    ...kinds.map((kind) => h("option", { value: kind }, t(`kind.${kind}`))),
  );
  const load = async () => {
    try {
      const events = await writing.history(project.id, { limit: String(MOST), ...(select.value ? { kind: select.value as Kind } : {}) });
      replace(shown, events.length > 0 ? eventList(store, events, true) : h("p", { class: "empty-note" }, t("history.none")));
    } catch (error) {
      replace(shown, h("p", { class: "error-text", role: "alert" }, errorText(error)));
    }
  };
  return { element: h("section", { class: "chosen-part" }, h("div", { class: "order-filters" }, select), shown), load };
}
