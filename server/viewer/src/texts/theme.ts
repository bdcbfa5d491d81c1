/** Colours and filters by an attribute. */
import type { Texts } from ".";

export const THEME = {
  "theme.attribute": { en: "Attribute to colour by", zh: "着色属性" },
  "theme.own": { en: "Attributes", zh: "属性" },
  "theme.none": { en: "The features of this layer have no attributes.", zh: "此图层的要素没有属性。" },
  "theme.method": { en: "Classes", zh: "分级方式" },
  "theme.quantiles": { en: "Quantiles", zh: "分位数" },
  "theme.equal": { en: "Equal steps", zh: "等间距" },
  "theme.categories": { en: "Each value", zh: "唯一值" },
  "theme.from": { en: "Show from", zh: "显示下限" },
  "theme.to": { en: "Show up to", zh: "显示上限" },
  "theme.legend": { en: "Classes of the attribute", zh: "属性分级" },
  "theme.other": { en: "Other values", zh: "其他值" },
  "theme.missing": { en: "No value", zh: "无值" },
  "theme.shown": { en: "{n} of {all} shown", zh: "显示 {n} 个，共 {all} 个" },
} satisfies Texts;
