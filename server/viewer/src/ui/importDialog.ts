/** Choosing a file and, for those who need it, how it is imported. */
import type { App } from "../app";
import { h, icon, replace } from "../dom";
import { formatBytes, t } from "../i18n";
import type { ImportOptions } from "../imports";
import { openDialog } from "./dialog";
import { toast } from "./toast";

/** Starts imports with the server's defaults; files it would refuse for their size are not sent. */
export function importFiles(app: App, files: Iterable<File>, options: ImportOptions = {}): number {
  let started = 0;
  for (const file of files) {
    if (file.size > app.city.max_upload_bytes) {
      toast(t("import.tooBig", { name: file.name, limit: formatBytes(app.city.max_upload_bytes) }), "error");
      continue;
    }
    app.imports.start(file, options);
    started++;
  }
  return started;
}

function field(name: keyof ImportOptions, label: string, hint: string): HTMLElement {
  const id = `import-${name}`;
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    h("input", {
      id,
      name,
      type: "text",
      autocomplete: "off",
      spellcheck: "false",
      "aria-describedby": `${id}-hint`,
    }),
    h("p", { class: "muted", id: `${id}-hint` }, hint),
  );
}

export function openImportDialog(app: App): void {
  const { body, close } = openDialog(t("import.title"), "import");
  const chosen = h("span", {}, t("app.chooseFile"));
  const file = h("input", {
    id: "import-file",
    name: "file",
    type: "file",
    required: true,
    multiple: true,
    accept: app.city.extensions.join(","),
    on: {
      change: () => {
        const names = [...(file.files ?? [])].map((f) => `${f.name} (${formatBytes(f.size)})`);
        chosen.textContent = names.length > 0 ? names.join(", ") : t("app.chooseFile");
      },
    },
  });
  const form = h(
    "form",
    {
      on: {
        submit: (event: SubmitEvent) => {
          event.preventDefault();
          const values = new FormData(form);
          const files = [...(file.files ?? [])];
          const options: ImportOptions = {};
          for (const name of ["layer", "title", "crs", "anchor"] as const) {
            const value = String(values.get(name) ?? "").trim();
            // Two files cannot be the same layer.
            if (value && (files.length === 1 || (name !== "layer" && name !== "title")))
              options[name] = value;
          }
          importFiles(app, files, options);
          close();
        },
      },
    },
    h(
      "div",
      { class: "field" },
      h("label", { for: file.id }, t("import.file")),
      h(
        "div",
        { class: "file-pick" },
        icon("upload"),
        chosen,
        h("span", { class: "muted" }, app.city.extensions.join(", ")),
        file,
      ),
    ),
    h(
      "details",
      { class: "options" },
      h("summary", {}, icon("chevron"), t("import.options")),
      field("layer", t("import.optLayer"), t("import.optLayerHint")),
      field("title", t("import.optTitle"), ""),
      field("crs", t("import.optCrs"), t("import.optCrsHint")),
      field("anchor", t("import.optAnchor"), t("import.optAnchorHint")),
    ),
    h(
      "footer",
      {},
      h("button", { type: "button", class: "button", on: { click: close } }, t("import.cancel")),
      h("button", { type: "submit", class: "button primary" }, icon("upload"), t("import.start")),
    ),
  );
  replace(body, form);
  file.focus();
}
