/** The state of one household from a day on. */
import { h } from "../../dom";
import { localized, t } from "../../i18n";
import { toast } from "../../ui/toast";
import { today } from "../days";
import { writing } from "../orders/api";
import type { Desk } from "../orders/desk";
import type { HouseholdDocument, Subject } from "../orders/types";
import { input, openForm, row, select } from "../../ui/keptForm";

export function openHousehold(desk: Desk, household: Subject<HouseholdDocument>): void {
  const states = Object.entries(desk.store.overview.words.household_states).map(([id, title]) => [id, localized(title)] as const);
  const state = select("household-state", t("household.state"), states, household.document.state ?? "unsigned");
  const effective = input("household-effective", t("form.effective"), { type: "date", required: true, max: today(), value: desk.day }, { hint: t("form.effectiveHint") });
  let { version } = household;
  openForm({
    key: `household ${household.id}`,
    title: t("household.change"),
    about: t("household.numbered", { n: household.document.number }),
    parts: [row(state, effective)],
    action: t("form.save"),
    send: async () => {
      await writing.changeHousehold(household.id, version, effective.control.value, { state: state.control.value });
      toast(t("household.saved"));
      await desk.after();
    },
    again: async () => {
      const now = await writing.household(household.id);
      version = now.version;
      return h("p", {}, states.find(([id]) => id === (now.document.state ?? "unsigned"))?.[1] ?? "");
    },
  });
}
