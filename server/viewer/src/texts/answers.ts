/** The words analyses answer with. */
import type { Texts } from ".";

export const ANSWERS = {
  "answer.shut": { en: "shut in", zh: "关断范围" },
  "answer.stranded": { en: "loses every source", zh: "失去全部来源" },
  "answer.off": { en: "without supply in all", zh: "停供合计" },
  "answer.worst": { en: "worst, if one valve fails", zh: "最不利（某一阀门失效）" },
  "answer.segment": { en: "segment", zh: "管段" },
  "answer.node": { en: "node", zh: "节点" },
  "answer.horizontal": { en: "side by side", zh: "水平净距" },
  "answer.vertical": { en: "crossing", zh: "垂直净距" },
  "answer.clash": { en: "clash", zh: "碰撞" },
  "answer.near": { en: "too near", zh: "过近" },
} satisfies Texts;
