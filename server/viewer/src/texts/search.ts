/** The search. */
import type { Texts } from ".";

export const SEARCH = {
  "search.label": { en: "Search by name or GlobalId", zh: "按名称或 GlobalId 搜索" },
  "search.placeholder": { en: "Search name or GlobalId", zh: "搜索名称或 GlobalId" },
  "search.none": { en: "Nothing found for “{q}”", zh: "没有找到“{q}”" },
  "search.count": { en: "{n} results", zh: "{n} 条结果" },
  "search.failed": { en: "The search failed: {detail}", zh: "搜索失败：{detail}" },
  "search.clear": { en: "Clear the search", zh: "清除搜索" },
} satisfies Texts;
