/** Shows the hole of the excavation that is asked about while its corners are clicked. */
import type { App } from "../../app";
import { Pit } from "../../scene/pit";
import type { Here } from "../../tools/here";

export function followPit({ analysis, toolbox, widget }: App): void {
  const pit = new Pit(widget.scene);
  const here = toolbox.tool("here") as Here;
  here.changed.on(() => {
    const digs = here.on && analysis.process?.id === "excavation";
    const input = analysis.process?.inputs["depth"];
    const depth = Number(analysis.inputs["depth"] ?? input?.schema.default ?? 0);
    const corners = digs && here.mode === "polygon" ? here.points : [];
    pit.show(corners, depth);
  });
}
