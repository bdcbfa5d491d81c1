import { h, replace } from "../dom";
import { t } from "../i18n";
import type { Toolbox } from "../tools/toolbox";
import { openDialog } from "./dialog";

export function openHelp({ tools }: Toolbox): void {
  const { body } = openDialog(t("help.title"), "help");
  const row = (keys: string, meaning: string) =>
    h("tr", {}, h("th", { scope: "row" }, h("kbd", {}, keys)), h("td", {}, meaning));
  replace(
    body,
    h(
      "table",
      {},
      h(
        "tbody",
        {},
        row("/", t("help.search")),
        row("H", t("help.home")),
        row("Esc", t("help.escape")),
        row("?", t("help.help")),
        ...tools.map(({ name, letter }) => row(letter.toUpperCase(), t(`tool.${name}`))),
        row(t("help.keys.arrows"), t("help.arrows")),
        row(t("help.keys.turn"), t("help.turn")),
        row("+  −", t("help.zoom")),
        row(t("help.keys.click"), t("help.click")),
        row(t("help.keys.drag"), t("help.drag")),
        row(t("help.keys.rotate"), t("help.rotate")),
        row(t("help.keys.wheel"), t("help.wheel")),
      ),
    ),
  );
}
