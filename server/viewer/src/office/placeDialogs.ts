/** Adding towns and departments, and giving a town its boundary. */
import { h, icon, replace } from "../dom";
import { formatNumber, localized, t } from "../i18n";
import { openDialog } from "../ui/dialog";
import { errorText } from "../ui/errors";
import { toast } from "../ui/toast";
import { office } from "./api";
import { boundaryOf, NoBoundary, squareKilometres } from "./boundaries";
import { boundaryMap } from "./boundaryMap";
import type { Desk } from "./desk";
import { refusal, textField } from "./form";
import type { Boundary, Town } from "./types";

interface FormParts {
  title: string;
  fields: (message: (sentence: string | null) => void) => (Node | null)[];
  action: string;
  /** Raises what the server refuses. */
  save: () => Promise<void>;
}

/** A form in a dialog that stays until the server has agreed. */
export function openForm({ title, fields, action, save }: FormParts): void {
  const { body, close } = openDialog(title, "office-dialog");
  const message = h("div", { class: "form-message" });
  const tell = (sentence: string | null) => replace(message, refusal(sentence));
  const submit = h("button", { type: "submit", class: "button primary" }, action);
  replace(
    body,
    h(
      "form",
      {
        on: {
          submit: async (event: SubmitEvent) => {
            event.preventDefault();
            submit.disabled = true;
            tell(null);
            try {
              await save();
              close();
            } catch (error) {
              tell(errorText(error));
            }
            submit.disabled = false;
          },
        },
      },
      ...fields(tell),
      message,
      h("footer", {}, h("button", { type: "button", class: "button", on: { click: close } }, t("office.cancel")), submit),
    ),
  );
  body.querySelector<HTMLElement>("input:not([type=file])")?.focus();
}

export function openDepartmentDialog(desk: Desk): void {
  const draft = { id: "", en: "", zh: "" };
  openForm({
    title: t("places.addDepartment"),
    action: t("office.add"),
    fields: () => [
      textField({ id: "place-id", label: t("places.departmentId"), hint: t("places.departmentIdHint"), value: "", required: true, set: (id) => (draft.id = id) }),
      textField({ id: "place-zh", label: t("places.zh"), value: "", lang: "zh-CN", set: (zh) => (draft.zh = zh) }),
      textField({ id: "place-en", label: t("places.en"), value: "", lang: "en", set: (en) => (draft.en = en) }),
    ],
    save: async () => {
      const id = draft.id.trim();
      await office.addDepartment(id, titles(draft, id));
      toast(t("places.added", { name: id }));
      await desk.departments.refresh();
    },
  });
}

/** A name in one language stands in for the other. */
function titles({ en, zh }: { en: string; zh: string }, id: string): { en: string; zh: string } {
  return { en: en.trim() || zh.trim() || id, zh: zh.trim() || en.trim() || id };
}

/** A new town, or the names and boundary of one. */
export function openTownDialog(desk: Desk, town: Town | null): void {
  const draft = { id: town?.id ?? "", en: town?.title.en ?? "", zh: town?.title.zh ?? "" };
  let boundary: Boundary | null = town?.boundary ?? null;
  const picture = h("div", { class: "map-frame small" });
  const chosen = h("span", {});
  const show = () => {
    chosen.textContent = boundary ? t("places.area", { n: formatNumber(squareKilometres(boundary), 2) }) : t("places.chooseFile");
    const one: Town = { id: draft.id, title: { en: "", zh: "" }, boundary };
    picture.hidden = boundary === null;
    replace(picture, picture.hidden ? null : boundaryMap([one], one.id, () => undefined));
  };
  openForm({
    title: town ? t("places.changeTown", { name: town.id }) : t("places.addTown"),
    action: town ? t("office.save") : t("office.add"),
    fields: (tell) => {
      const file = h("input", {
        type: "file",
        id: "place-file",
        accept: ".geojson,.json,application/geo+json",
        on: {
          change: async () => {
            const [one] = file.files ?? [];
            if (!one) return;
            try {
              boundary = boundaryOf(await one.text());
              tell(null);
            } catch (error) {
              if (!(error instanceof NoBoundary)) throw error;
              tell(t(`boundary.${error.fault}`, { name: one.name }));
            }
            show();
          },
        },
      });
      show();
      return [
        town ? null : textField({ id: "place-id", label: t("places.townId"), hint: t("places.townIdHint"), value: "", required: true, set: (id) => (draft.id = id) }),
        textField({ id: "place-zh", label: t("places.zh"), value: draft.zh, lang: "zh-CN", set: (zh) => (draft.zh = zh) }),
        textField({ id: "place-en", label: t("places.en"), value: draft.en, lang: "en", set: (en) => (draft.en = en) }),
        h(
          "div",
          { class: "field" },
          h("label", { for: "place-file" }, t("places.boundary")),
          h("div", { class: "file-pick" }, icon("upload"), chosen, h("span", { class: "muted" }, t("places.fileHint")), file),
          picture,
        ),
      ];
    },
    save: async () => {
      const id = draft.id.trim();
      if (town) await office.changeTown(town.id, { title: titles(draft, id), ...(boundary === town.boundary ? {} : { boundary }) });
      else await office.addTown({ id, title: titles(draft, id), boundary });
      toast(t(town ? "places.changed" : "places.added", { name: localized(titles(draft, id)) }));
      await desk.towns.refresh();
    },
  });
}
