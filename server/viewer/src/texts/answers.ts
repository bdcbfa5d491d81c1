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
  "answer.met": { en: "met", zh: "符合" },
  "answer.failed": { en: "not met", zh: "不符合" },
  "answer.unknown": { en: "unknown", zh: "无法判定" },
  "answer.newly-failed": { en: "no longer met", zh: "建成后不达标" },
  "answer.worse": { en: "not met, and less", zh: "不达标且进一步减少" },
  "answer.ground": { en: "ground", zh: "地面" },
  "answer.walls": { en: "walls", zh: "立面" },
  "answer.now": { en: "now", zh: "现状" },
  "answer.built": { en: "once it is built", zh: "建成后" },
  "answer.near": { en: "too near", zh: "过近" },
} satisfies Texts;
