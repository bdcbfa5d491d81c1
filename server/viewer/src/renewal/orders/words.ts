/** What an order says about its time, in words. */
import { h, type Child } from "../../dom";
import { t } from "../../i18n";
import { urgencyLamp } from "../chosen/lamp";
import { daysBetween } from "../days";
import type { Order } from "./types";

/** Until when, and how far off that is on a day. */
export function deadlineText(order: Order, at: string): string {
  const { deadline, state, days } = order;
  if (!deadline) return state === "draft" && days ? t("order.inDays", { n: days }) : "";
  if (state === "closed" || state === "withdrawn") return t("order.until", { day: deadline });
  if (order.overdue_days > 0) return t("order.overdueSince", { day: deadline, n: order.overdue_days });
  const left = daysBetween(at, deadline);
  return left > 0 ? t("order.daysLeft", { day: deadline, n: left }) : t("order.until", { day: deadline });
}

export function deadline(order: Order, at: string): Child {
  const text = deadlineText(order, at);
  return text && h("span", { class: order.overdue_days > 0 ? "order-time over" : "order-time" }, urgencyLamp(order.urgency, false), text);
}
