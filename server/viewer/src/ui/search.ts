/** Search by name or GlobalId: a combobox with a list of hits. */
import type { App } from "../app";
import { toBbox3D } from "../camera";
import { api } from "../data/api";
import type { Hit } from "../data/types";
import { h, icon, iconButton, replace } from "../dom";
import { languageChanged, SEPARATOR, t } from "../i18n";
import { debounce } from "../signal";
import { errorText } from "./errors";
import { classTitle, storeyName } from "./names";

const DELAY = 180;

export function searchBox(app: App): { element: HTMLElement; focus: () => void } {
  const input = h("input", {
    type: "search",
    id: "search",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    "aria-controls": "search-results",
    "aria-expanded": "false",
    "aria-autocomplete": "list",
  });
  const results = h("ul", { id: "search-results", class: "search-results", role: "listbox", hidden: true });
  const note = h("p", { class: "search-note", role: "status", hidden: true });
  const popup = h("div", { class: "search-popup", hidden: true }, note, results);
  const clear = iconButton("close", "", () => reset(), { class: "search-clear", hidden: true });
  const element = h("div", { class: "search", role: "search" }, icon("search"), input, clear, popup);

  let hits: Hit[] = [];
  let active = -1;
  let running: AbortController | null = null;

  const label = () => {
    input.placeholder = t("search.placeholder");
    for (const [target, text] of [
      [input, t("search.label")],
      [clear, t("search.clear")],
      [results, t("search.label")],
    ] as const) {
      target.setAttribute("aria-label", text);
    }
    clear.title = t("search.clear");
  };

  const open = (isOpen: boolean) => {
    popup.hidden = !isOpen;
    input.setAttribute("aria-expanded", String(isOpen && hits.length > 0));
  };

  const reset = () => {
    running?.abort();
    input.value = "";
    clear.hidden = true;
    hits = [];
    open(false);
    input.focus();
  };

  const mark = (index: number) => {
    active = index;
    [...results.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === index)));
    const row = results.children[index];
    if (row) {
      input.setAttribute("aria-activedescendant", row.id);
      row.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };

  const choose = (hit: Hit) => {
    open(false);
    const layer = app.layers.get(hit.layer);
    if (layer) {
      app.layers.update(layer, (view) => {
        view.visible = true;
        view.hiddenClasses.delete(hit.class);
        view.hiddenFeatures.delete(hit.id);
        const storey = typeof hit.storey === "string" ? hit.storey : hit.storey?.id;
        if (storey)
          for (const s of layer.collection.storeys)
            if (s.id === storey || s.name === storey) view.hiddenStoreys.delete(s.id ?? "");
      });
    }
    app.selection.select({ layer: hit.layer, id: hit.id });
    const bbox = toBbox3D(hit.bbox);
    if (bbox) void app.camera.flyTo(bbox);
  };

  const row = (hit: Hit, index: number) => {
    const layer = app.layers.get(hit.layer);
    const place = [layer?.collection.title ?? hit.layer, storeyName(layer, hit.storey)]
      .filter(Boolean)
      .join(SEPARATOR);
    return h(
      "li",
      {
        id: `hit-${index}`,
        role: "option",
        "aria-selected": "false",
        // Not "click": the input must keep the focus, or the list would close first.
        on: {
          mousedown: (event: MouseEvent) => {
            event.preventDefault();
            choose(hit);
          },
        },
      },
      h("span", { class: "hit-name" }, hit.name || t("attr.unnamed")),
      h("span", { class: "hit-class" }, classTitle(layer, hit.class)),
      h("span", { class: "hit-place" }, place),
      h("code", { class: "hit-id" }, hit.id),
    );
  };

  const show = (message: string, list: Hit[]) => {
    hits = list;
    note.textContent = message;
    note.hidden = false;
    results.hidden = list.length === 0;
    replace(results, ...list.map(row));
    mark(list.length > 0 ? 0 : -1);
    open(document.activeElement === input);
  };

  const run = async () => {
    running?.abort();
    const q = input.value.trim();
    if (q === "") {
      hits = [];
      open(false);
      return;
    }
    const controller = new AbortController();
    running = controller;
    try {
      const found = await api.search(q, controller.signal);
      if (controller.signal.aborted) return;
      show(found.length === 0 ? t("search.none", { q }) : t("search.count", { n: found.length }), found);
    } catch (error) {
      if (!controller.signal.aborted) show(t("search.failed", { detail: errorText(error) }), []);
    }
  };

  const later = debounce(DELAY, () => void run());
  input.addEventListener("input", () => {
    clear.hidden = input.value === "";
    later();
  });
  input.addEventListener("focus", () => {
    if (input.value.trim() !== "" && hits.length > 0) open(true);
  });
  input.addEventListener("blur", () => open(false));
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (hits.length === 0) return;
      open(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      mark((active + step + hits.length) % hits.length);
    } else if (event.key === "Enter") {
      const hit = popup.hidden ? undefined : hits[active];
      if (hit) choose(hit);
      else void run();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (!popup.hidden) open(false);
      else input.blur();
    }
  });

  label();
  languageChanged.on(() => {
    label();
    open(false);
    hits = [];
  });
  return {
    element,
    focus: () => {
      input.focus();
      input.select();
    },
  };
}
