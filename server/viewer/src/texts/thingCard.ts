/** The card of a thing. */
import type { Texts } from ".";

export const THING_CARD = {
  "thing.label": { en: "Selected sensor", zh: "所选设备" },
  "thing.close": { en: "Close the sensor", zh: "关闭设备面板" },
  "thing.feature": { en: "On", zh: "所属构件" },
  "thing.place": { en: "Place", zh: "位置" },
  "thing.nowhere": { en: "not known", zh: "未知" },
  "thing.updated": { en: "updated {ago}", zh: "{ago}更新" },
  "thing.inAlarm": { en: "in alarm", zh: "告警中" },
  "thing.noStreams": { en: "It observes nothing yet.", zh: "该设备尚无监测项。" },
  "thing.chartAll": { en: "All into the chart", zh: "全部加入曲线" },
} satisfies Texts;
