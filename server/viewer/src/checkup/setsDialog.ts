/** The sets of indicators there are: a draft is frozen, after which it never changes, or removed. */
import { type Child, h, icon, replace } from "../dom";
import { localized, t } from "../i18n";
import { openDialog } from "../ui/dialog";
import { errorText } from "../ui/errors";
import { toast } from "../ui/toast";
import { checkup } from "./api";
import type { Store } from "./store";
import type { SetSummary } from "./types";

export function openSets(store: Store): void {
  const { body, close } = openDialog(t("checkup.sets"), "renewal-dialog");
  const list = h("ul", { class: "set-list" });
  const message = h("div", { class: "form-message", role: "alert" });

  const sure = (question: string, action: string, done: string, send: () => Promise<unknown>) => {
    const go = h("button", { type: "button", class: "button small primary", on: { click: () => void act() } }, action);
    const act = async () => {
      go.disabled = true;
      try {
        await send();
        await store.refresh();
        toast(done);
        replace(message);
        draw();
      } catch (error) {
        await store.refresh();
        draw();
        replace(message, h("p", { class: "refusal" }, icon("warning"), h("span", {}, errorText(error))));
      }
    };
    replace(message, h("p", { class: "set-sure" }, h("span", {}, question), h("button", { type: "button", class: "button small", on: { click: () => replace(message) } }, t("account.cancel")), go));
    go.focus();
  };
  const row = (set: SetSummary): HTMLElement => {
    const { id, version, year, indicators, state, problem } = set;
    const name = localized(set.name) || id;
    const actions: Child[] = [
      state === "draft" && !problem && store.may("submit") &&
        h("button", { type: "button", class: "button small", "data-freeze": id, on: { click: () => sure(t("checkup.sets.freezeSure", { name }), t("checkup.sets.freeze"), t("checkup.sets.wasFrozen"), () => checkup.freezeSet(id, version)) } }, icon("lock"), t("checkup.sets.freeze")),
      state === "draft" && store.may("edit") &&
        h("button", { type: "button", class: "button small", "data-remove": id, on: { click: () => sure(t("checkup.sets.removeSure", { name }), t("checkup.sets.remove"), t("checkup.discarded"), () => checkup.removeSet(id, version)) } }, icon("close"), t("checkup.sets.remove")),
    ];
    return h(
      "li",
      { "data-set": id },
      h("strong", {}, name),
      h("span", { class: `tag set-${state}` }, t(`checkup.sets.${state}`)),
      h("small", { class: "muted" }, problem ? localized(problem) : t("checkup.set.facts", { year: String(year), n: indicators })),
      h("span", { class: "set-actions" }, ...actions),
    );
  };
  const draw = () => replace(list, ...store.overview.sets.map(row));
  draw();
  replace(body, h("p", { class: "muted" }, t("checkup.sets.hint")), list, message, h("footer", { class: "dialog-footer" }, h("button", { type: "button", class: "button", on: { click: close } }, t("dialog.close"))));
}
