/** Receipts. */
import type { Texts } from ".";

export const RECEIPT = {
  "receipt.title": { en: "Where this comes from", zh: "数据从何而来" },
  "receipt.loading": { en: "Reading the receipt…", zh: "正在读取凭据…" },
  "receipt.failed": { en: "The receipt could not be read: {detail}", zh: "无法读取凭据：{detail}" },
  "receipt.kind": { en: "Kind", zh: "类型" },
  "receipt.when": { en: "When", zh: "时间" },
  "receipt.who": { en: "Who", zh: "操作者" },
  "receipt.software": { en: "Software", zh: "软件" },
  "receipt.inputs": { en: "Inputs", zh: "输入" },
  "receipt.parameters": { en: "Parameters", zh: "参数" },
  "receipt.outputs": { en: "Outputs", zh: "输出" },
  "receipt.id": { en: "Receipt", zh: "凭据编号" },
  "receipt.default": { en: "default", zh: "默认" },
  "receipt.kind.import": { en: "Import", zh: "导入" },
  "receipt.kind.tile": { en: "Tiled again", zh: "重新生成瓦片" },
  "receipt.kind.rollback": { en: "Roll-back", zh: "版本回退" },
  "receipt.from": { en: "From version", zh: "原版本" },
  "receipt.to": { en: "To version", zh: "目标版本" },
} satisfies Texts;
