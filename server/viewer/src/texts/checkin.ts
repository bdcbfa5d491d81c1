/** Check-in reports. */
import type { Texts } from ".";

export const CHECKIN = {
  "checkin.title": { en: "Check-in", zh: "入库检查" },
  "checkin.nothing": { en: "no findings", zh: "未发现问题" },
  "checkin.error": { en: "errors: {n}", zh: "错误 {n}" },
  "checkin.warning": { en: "warnings: {n}", zh: "警告 {n}" },
  "checkin.note": { en: "notes: {n}", zh: "提示 {n}" },
  "checkin.refuses": { en: "keeps out", zh: "拒绝入库" },
  "checkin.finding": { en: "Finding", zh: "问题" },
  "checkin.where": { en: "Where", zh: "位置" },
  "checkin.more": { en: "Show {n} more", zh: "再显示 {n} 项" },
  "checkin.listed": { en: "The first {n} of {all} are listed", zh: "共 {all} 项，列出前 {n} 项" },
  "checkin.loading": { en: "Reading the report…", zh: "正在读取报告…" },
  "checkin.failed": { en: "The report could not be read: {detail}", zh: "无法读取报告：{detail}" },
  "checkin.csv": { en: "Table (CSV)", zh: "表格（CSV）" },
  "checkin.geojson": { en: "Map layer (GeoJSON)", zh: "地图图层（GeoJSON）" },
  "checkin.json": { en: "Whole report (JSON)", zh: "完整报告（JSON）" },
} satisfies Texts;
