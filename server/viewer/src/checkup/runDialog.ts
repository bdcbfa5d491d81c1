/** A new check-up: by which set, for which year. The server examines; the dialog follows it to the end. */
import { h, icon, replace } from "../dom";
import { api } from "../data/api";
import type { Job } from "../data/types";
import { localized, t } from "../i18n";
import type { Live } from "../live";
import { openDialog } from "../ui/dialog";
import { errorText, problemText } from "../ui/errors";
import { input, row, select } from "../ui/keptForm";
import { toast } from "../ui/toast";
import { checkup } from "./api";
import { runName } from "./compareTable";
import type { Store } from "./store";
import type { RunSummary, SetSummary } from "./types";

/** Milliseconds after which a job is asked for that nothing was heard of. */
const SILENCE = 3_000;

const ended = ({ status }: Job) => status === "successful" || status === "failed" || status === "dismissed";

/** Follows a job until it ends. */
export async function followed(live: Live, id: string, told: (job: Job) => void): Promise<Job> {
  return new Promise((resolve, reject) => {
    const look = (job: Job) => {
      if (job.jobID !== id) return;
      told(job);
      if (ended(job)) finish(() => resolve(job));
    };
    const ask = () => api.job(id).then(look, (error: unknown) => finish(() => reject(error)));
    const stop = live.job.on(look);
    const timer = setInterval(() => void ask(), SILENCE);
    const finish = (end: () => void) => {
      stop();
      clearInterval(timer);
      end();
    };
    void ask();
  });
}

/** `like` says by which set and for which year, if that is known. */
export function openRun(store: Store, live: Live, like?: Pick<RunSummary, "set" | "year">): void {
  const sets = store.overview.sets.filter(({ problem }) => !problem);
  const { body, close } = openDialog(t("checkup.new"), "renewal-dialog");
  const set = select("run-set", t("checkup.set"), sets.map(({ id, name, year, indicators, state }) => [id, `${localized(name)} – ${t("checkup.set.facts", { year: String(year), n: indicators })}${state === "draft" ? ` (${t("checkup.run.draft")})` : ""}`] as const), like?.set ?? store.summary?.set ?? sets[0]?.id ?? "");
  const year = input("run-year", t("checkup.year"), { type: "number", min: 1990, max: 2199, required: true, value: like?.year ?? sets.find(({ id }) => id === set.control.value)?.year ?? new Date().getFullYear() });
  const title = input("run-title", t("checkup.runTitle"), { maxlength: 200 }, { hint: t("checkup.runTitleHint") });
  const message = h("div", { class: "form-message", role: "status" });
  const go = h("button", { type: "submit", class: "button primary" }, t("checkup.examine"));
  const told = ({ steps, status }: Job) => {
    const share = steps?.total ? Math.round((100 * steps.done) / steps.total) : null;
    replace(message, h("p", {}, t(status === "accepted" ? "checkup.waiting" : "checkup.examining"), share === null ? "" : ` ${share}%`), h("progress", { max: 100, value: share }));
  };
  const run = async () => {
    go.disabled = true;
    const before = new Set(store.overview.runs.map(({ id }) => id));
    try {
      const { jobID } = await checkup.begin(set.control.value, Number(year.control.value), title.control.value.trim());
      const job = await followed(live, jobID, told);
      if (job.status !== "successful") throw new Error(job.problem ? problemText(job.problem) : t("checkup.stopped"));
      await store.refresh();
      const made = store.overview.runs.find(({ id }) => !before.has(id));
      if (made) store.chooseRun(made.id);
      toast(t("checkup.examined"));
      close();
    } catch (error) {
      replace(message, h("p", { class: "refusal", role: "alert" }, icon("warning"), h("span", {}, errorText(error))));
    } finally {
      go.disabled = false;
    }
  };
  replace(
    body,
    h(
      "form",
      { on: { submit: (event: SubmitEvent) => (event.preventDefault(), go.disabled ? undefined : void run()) } },
      set.element,
      row(year, title),
      message,
      h("footer", {}, h("button", { type: "button", class: "button", on: { click: close } }, t("account.cancel")), go),
    ),
  );
}

/** Asks once more before something that cannot be undone. */
function openConfirm(title: string, about: string, action: string, send: () => Promise<void>): void {
  const { body, close } = openDialog(title, "renewal-dialog");
  const message = h("div", { class: "form-message", role: "alert" });
  const go = h("button", { type: "button", class: "button primary", on: { click: () => void act() } }, action);
  const act = async () => {
    go.disabled = true;
    try {
      await send();
      close();
    } catch (error) {
      replace(message, h("p", { class: "refusal" }, icon("warning"), h("span", {}, errorText(error))));
    } finally {
      go.disabled = false;
    }
  };
  replace(body, h("p", {}, about), message, h("footer", { class: "dialog-footer" }, h("button", { type: "button", class: "button", on: { click: close } }, t("account.cancel")), go));
}

/** Whether the set of a run may still change, or has changed since: then the run is not submitted. */
export function standingOfSet({ set, set_version, set_digest }: Pick<RunSummary, "set" | "set_version" | "set_digest">, sets: readonly SetSummary[]): "final" | "draft" | "changed" {
  const found = sets.find(({ id }) => id === set);
  if (found?.state === "draft" && !found.problem) return "draft";
  return found?.version === set_version && found.digest === set_digest ? "final" : "changed";
}

/** From then on the run never changes, so it is asked once more; one by a set that may change leads to the next. */
export function openSubmit(store: Store, live: Live): void {
  const { summary, overview } = store;
  if (!summary) return;
  const standing = standingOfSet(summary, overview.sets);
  if (standing === "final") {
    return openConfirm(t("checkup.submit"), t("checkup.submitHint"), t("checkup.submit"), async () => {
      await checkup.submit(summary.id);
      await store.refresh();
      toast(t("checkup.submitted"));
    });
  }
  const about = t(`checkup.submit.${standing}`, { name: localized(summary.set_name) });
  openConfirm(t("checkup.submit"), about, t(standing === "draft" ? "checkup.submit.freeze" : "checkup.submit.again"), async () => {
    const set = overview.sets.find(({ id }) => id === summary.set);
    if (standing === "draft" && set) {
      await checkup.freezeSet(set.id, set.version);
      await store.refresh();
    }
    openRun(store, live, summary);
  });
}

/** A run that was not submitted is removed. */
export function openDiscard(store: Store): void {
  const { summary } = store;
  if (!summary) return;
  openConfirm(t("checkup.discard"), t("checkup.discardHint", { name: runName(summary) }), t("checkup.discard"), async () => {
    await checkup.discard(summary.id);
    await store.refresh();
    toast(t("checkup.discarded"));
  });
}
