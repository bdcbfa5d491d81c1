/** An indicator is kept in a set that is still a draft, or in a new one that builds on the set of the run. */
import { h } from "../dom";
import { localized, t } from "../i18n";
import { input, openForm, select } from "../ui/keptForm";
import { toast } from "../ui/toast";
import { checkup } from "./api";
import type { Store } from "./store";
import type { IndicatorDocument } from "./types";

export function openKeep(store: Store, indicator: IndicatorDocument): void {
  const sets = store.overview.sets.filter(({ problem }) => !problem);
  const drafts = sets.filter(({ state }) => state === "draft");
  const base = sets.find(({ id }) => id === store.summary?.set) ?? sets[0];
  const set = select("keep-set", t("checkup.set"), [...drafts.map(({ id, name }) => [id, localized(name)] as const), ["", t("checkup.keep.newSet")]], drafts[0]?.id ?? "");
  const id = input("keep-id", t("checkup.keep.id"), { pattern: "[a-z0-9][a-z0-9\\-]{0,39}", maxlength: 40 }, { hint: t("checkup.keep.idHint") });
  const name = input("keep-name", t("checkup.keep.name"), { maxlength: 200 });
  const whether = () => {
    const own = set.control.value === "";
    for (const field of [id, name]) {
      field.element.hidden = !own;
      field.control.required = own;
    }
  };
  set.control.addEventListener("change", whether);
  whether();
  openForm({
    key: `keep ${indicator.code}`,
    title: t("checkup.compose.keep"),
    about: h("strong", {}, `${indicator.code} ${localized(indicator.name)}`),
    parts: [set.element, id.element, name.element, base ? h("p", { class: "muted" }, t("checkup.keep.base", { name: localized(base.name) })) : null],
    action: t("form.save"),
    send: async () => {
      const chosen = set.control.value;
      if (chosen !== "") {
        const { version, document } = await checkup.set(chosen);
        const others = document.indicators.filter(({ code }) => code !== indicator.code);
        await checkup.keepSet({ ...document, indicators: [...others, indicator] }, version);
      } else {
        const title = name.control.value.trim();
        await checkup.keepSet({
          id: id.control.value.trim(), system: base?.system ?? "own", year: store.summary?.year ?? new Date().getFullYear(), name: { en: title, zh: title },
          source: "composed in the viewer", dimensions: {}, ...(base ? { base: base.id } : {}), indicators: [indicator],
        });
      }
      await store.refresh();
      toast(t("checkup.keep.kept"));
    },
  });
}
