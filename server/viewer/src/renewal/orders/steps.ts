/** What may be done with an order: a button for each step, and the dialog that asks for its words. */
import { type Child, h, icon, type IconName } from "../../dom";
import { t } from "../../i18n";
import { toast } from "../../ui/toast";
import { area, type Field, files, input, openForm } from "../../ui/keptForm";
import { addDays } from "../days";
import { unitName } from "../words";
import { writing } from "./api";
import { orderState } from "./course";
import type { Desk } from "./desk";
import { openOrderForm } from "./orderForm";
import { type Order, type Step, type StepBody, STEPS } from "./types";
import { deadlineText } from "./words";
import { comma } from "../chosen/punctuation";

const ICONS: Record<Step, IconName> = {
  issue: "signal",
  receive: "check",
  handle: "play",
  answer: "source",
  return: "undo",
  close: "lock",
  withdraw: "close",
  "ask-extension": "history",
  "grant-extension": "check",
  "refuse-extension": "close",
};

/** What brings an order on; the others are by the way. */
const FORWARD: readonly Step[] = ["issue", "receive", "handle", "answer", "close", "grant-extension"];

const ACCEPTED = "image/*,application/pdf,.docx,.xlsx,.mp4,.tif,.tiff,.zip";

export function stepButtons(desk: Desk, order: Order): HTMLElement | null {
  if (desk.past) return h("p", { class: "muted order-past" }, t("order.past"));
  const steps = STEPS.filter((step) => order.may.includes(step));
  const mayEdit = order.state === "draft" && desk.store.may("order", order.town);
  if (steps.length === 0 && !mayEdit) return null;
  const main = steps.find((step) => FORWARD.includes(step));
  return h(
    "div",
    { class: "order-steps", role: "group", "aria-label": t("order.steps") },
    ...steps.map((step) =>
      h(
        "button",
        { type: "button", class: step === main ? "button small primary" : "button small", "data-step": step, on: { click: () => openStep(desk, order, step) } },
        icon(ICONS[step]),
        t(`order.step.${step}`),
      ),
    ),
    mayEdit &&
      h("button", { type: "button", class: "button small", on: { click: () => void openOrderForm(desk, order.project, order) } }, icon("gear"), t("order.editDraft")),
  );
}

/** The words that a step takes. */
interface Asked {
  text?: Field<HTMLTextAreaElement>;
  until?: Field;
  deadline?: Field;
  photos?: Field;
}

function askedFor(order: Order, step: Step): Asked {
  const text = (required: boolean) => area("step-text", t(`order.text.${step}` as "order.text.answer"), { required, autofocus: true });
  const later = order.deadline ? addDays(order.deadline, 1) : "";
  switch (step) {
    case "issue":
      return { deadline: input("step-deadline", t("order.deadlineOwn"), { type: "date" }, { hint: t("order.deadlineOwnHint", { n: order.days ?? 5 }) }) };
    case "answer":
      return {
        text: text(true),
        photos: files("step-photos", t("order.photos"), { accept: ACCEPTED, multiple: true, hint: t("order.photosHint") }),
      };
    case "return":
    case "withdraw":
    case "refuse-extension":
      return { text: text(true) };
    case "close":
      return { text: text(false) };
    case "ask-extension":
      return { until: input("step-until", t("order.until.asked"), { type: "date", required: true, min: later }), text: text(true) };
    case "grant-extension": {
      const asked = order.extensions?.at(-1)?.until ?? "";
      return { deadline: input("step-deadline", t("order.until.granted"), { type: "date", min: later, value: asked }), text: text(false) };
    }
    default:
      return {};
  }
}

export function openStep(desk: Desk, order: Order, step: Step): void {
  const { store } = desk;
  const { text, until, deadline, photos } = askedFor(order, step);
  let { version } = order;
  // What was sent up already is not sent twice, whatever becomes of the answer.
  const sent = new Map<File, string>();
  const evidence = async (): Promise<string[]> => {
    const chosen = [...(photos?.control.files ?? [])];
    for (const file of chosen) {
      if (sent.has(file)) continue;
      const note = order.number ? `${order.number} ${order.title}` : order.title;
      sent.set(file, (await writing.addEvidence(order.project, file, { name: file.name, note, taken: desk.day })).id);
    }
    return chosen.map((file) => sent.get(file)!);
  };
  const send = async () => {
    const body: StepBody = {};
    if (text?.control.value.trim()) body.text = text.control.value.trim();
    if (until?.control.value) body.until = until.control.value;
    if (deadline?.control.value) body.deadline = deadline.control.value;
    const shown = await evidence();
    if (shown.length > 0) body.evidence = shown;
    await writing.step(order.id, version, step, body);
    toast(t("order.stepDone", { step: t(`order.step.${step}`) }));
    await desk.after();
  };
  const again = async (): Promise<Child> => {
    const now = await writing.order(order.id);
    version = now.version;
    await desk.after();
    const last = now.events.at(-1);
    return h(
      "p",
      {},
      t("order.now", { state: orderState(store, now.state), who: last?.name ?? "" }),
      !now.may.includes(step) && h("strong", {}, t("order.notPossible", { step: t(`order.step.${step}`) })),
    );
  };
  openForm({
    key: `step ${order.id} ${step}`,
    title: t(`order.step.${step}`),
    about: h(
      "div",
      {},
      h("strong", {}, [order.number, order.title].filter(Boolean).join(" ")),
      h("p", { class: "muted" }, [unitName(store, order.unit), deadlineText(order, desk.day)].filter(Boolean).join(comma())),
    ),
    parts: [until?.element, deadline?.element, text?.element, photos?.element],
    action: t(`order.step.${step}`),
    send,
    again,
  });
}
