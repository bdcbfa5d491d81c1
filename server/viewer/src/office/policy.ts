/** The policy: read, tried out, changed. */
import { ApiError } from "../data/api";
import { h, icon, replace } from "../dom";
import { languageChanged, t } from "../i18n";
import { choice } from "../ui/controls";
import { errorText } from "../ui/errors";
import { toast } from "../ui/toast";
import { office } from "./api";
import type { Desk } from "./desk";
import { refusal } from "./form";
import { hiddenPart } from "./policyHidden";
import { limitsPart } from "./policyLimits";
import { changeText } from "./policyNames";
import { previewPart } from "./policyPreview";
import { rightsPart } from "./policyRights";
import { type Change, changes, type PolicyAnswer, type PolicyDocument, putOnto, type Value, valueAt, withValue } from "./policyDocument";
import { openForm } from "./placeDialogs";

const PARTS = ["rights", "hidden", "limits", "preview"] as const;
type Part = (typeof PARTS)[number];

/** The policy that is being edited, and the one that is in force. */
export class Editing {
  saved: PolicyAnswer | null = null;
  draft: PolicyDocument | null = null;
  error: unknown = null;

  constructor(private readonly redraw: () => void) {}

  get changes(): Change[] {
    return this.saved && this.draft ? changes(this.saved.policy, this.draft) : [];
  }

  at(place: string): Value {
    return this.draft ? valueAt(this.draft, place) : undefined;
  }

  /** Whether a place says something else than what is in force. */
  isChanged(place: string): boolean {
    return JSON.stringify(this.at(place)) !== JSON.stringify(this.saved ? valueAt(this.saved.policy, place) : undefined);
  }

  set(place: string, value: Value): void {
    if (!this.draft) return;
    this.draft = withValue(this.draft, place, value);
    this.redraw();
  }

  discard(): void {
    this.draft = this.saved && structuredClone(this.saved.policy);
    this.redraw();
  }

  async load(): Promise<void> {
    try {
      this.take(await office.policy());
    } catch (error) {
      this.error = error;
    }
    this.redraw();
  }

  /** Saves; when somebody was faster, the changes are put onto what they saved, and true is told. */
  async save(): Promise<boolean> {
    const { saved, draft } = this;
    if (!saved || !draft) return false;
    try {
      this.take(await office.savePolicy(saved.version, draft));
      return false;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      const made = this.changes;
      this.take(await office.policy());
      this.draft = putOnto(this.saved!.policy, made);
      return true;
    }
  }

  private take(answer: PolicyAnswer): void {
    this.saved = answer;
    this.draft = structuredClone(answer.policy);
    this.error = null;
  }
}

function inForce({ kind, version }: PolicyAnswer): string {
  return kind === "own" ? t("policy.version", { n: String(version) }) : t(`policy.kind.${kind}`);
}

export function policyPage(desk: Desk): HTMLElement {
  let part: Part = "rights";
  let note: (() => string) | null = null;
  const editing = new Editing(() => draw());
  const bar = h("div", { class: "office-bar" });
  const body = h("div", { class: "policy-body" });
  const preview = previewPart(desk, editing);

  const shown: Record<Part, () => HTMLElement> = {
    rights: () => rightsPart(editing),
    hidden: () => hiddenPart(editing),
    limits: () => limitsPart(editing),
    preview: () => preview.element,
  };

  const saveNow = () => {
    const made = editing.changes;
    openForm({
      title: t("policy.saveTitle"),
      action: t("policy.saveNow"),
      fields: () => [
        h("p", {}, t("policy.saveHint", { n: made.length })),
        h("ul", { class: "change-list" }, ...made.map((change) => h("li", {}, changeText(change)))),
      ],
      save: async () => {
        const overtaken = await editing.save();
        note = overtaken ? () => t("policy.overtaken", { n: String(editing.saved?.version ?? "") }) : null;
        if (!overtaken) toast(t("policy.saved", { n: String(editing.saved?.version ?? "") }));
        draw();
      },
    });
  };

  const discard = () => {
    note = null;
    editing.discard();
  };
  const drawBar = () => {
    const made = editing.changes.length;
    const parts = choice(
      t("policy.parts"),
      PARTS.map((name) => [name, t(`policy.${name}`)] as const),
      () => part,
      (value) => {
        part = value;
        preview.forget();
        draw();
        bar.querySelector<HTMLElement>("[aria-pressed=true]")?.focus();
      },
    );
    replace(
      bar,
      parts.element,
      editing.saved && h("span", { class: "tag" }, inForce(editing.saved)),
      h("span", { class: made > 0 ? "tag warning" : "tag quiet", role: "status" }, t(made > 0 ? "policy.unsaved" : "policy.unchanged", { n: made })),
      h("span", { class: "end" }),
      h("button", { type: "button", class: "button", disabled: made === 0, on: { click: discard } }, t("office.discard")),
      h("button", { type: "button", class: "button primary", id: "policy-save", disabled: made === 0, on: { click: saveNow } }, t("policy.save")),
    );
  };
  const draw = () => {
    const focused = document.activeElement?.id;
    const scrolled = body.scrollTop;
    drawBar();
    if (editing.error && !editing.saved) {
      replace(
        body,
        h("div", { class: "list-error", role: "alert" },
          h("p", { class: "error-text" }, errorText(editing.error)),
          h("button", { type: "button", class: "button small", on: { click: () => void editing.load() } }, icon("refresh"), t("app.retry"))),
      );
      return;
    }
    if (!editing.saved) {
      replace(body, h("p", { class: "empty-note", role: "status" }, h("span", { class: "spinner small" }), t("office.loading")));
      return;
    }
    replace(
      body,
      refusal(note?.() ?? null),
      editing.saved.kind === "own" ? null : h("p", { class: "banner" }, t(`policy.kind.${editing.saved.kind}.hint`)),
      shown[part](),
    );
    if (part === "preview") preview.draw();
    body.scrollTop = scrolled;
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };
  languageChanged.on(draw);
  draw();
  void editing.load();
  return h("div", { class: "office-page" }, bar, body);
}
