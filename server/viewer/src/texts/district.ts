/** What the pages that supervise the district share: their map, and the way back. */
import type { Texts } from ".";

export const DISTRICT = {
  "district.above": { en: "From straight above", zh: "垂直俯视" },
  "district.oblique": { en: "Obliquely", zh: "倾斜视角" },
  "district.picture": { en: "Aerial picture", zh: "影像底图" },
  "district.none": { en: "The map needs 3D drawing, which this browser lacks. The table shows everything.", zh: "此浏览器无法绘制三维地图，表格视图中可查看全部内容。" },
  "district.lost": { en: "Disconnected – figures may be old", zh: "连接已断开，数据可能不是最新" },
  "district.viewer": { en: "City", zh: "三维城市" },
  "district.leaveWall": { en: "Leave the big screen (Esc)", zh: "退出大屏（Esc）" },
} satisfies Texts;
