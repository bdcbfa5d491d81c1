/** Every text of the viewer, by panel. A text that one language lacks does not compile. */
import type { Localized } from "../data/types";
import { ACCOUNT } from "./account";
import { ALARMS } from "./alarms";
import { ANALYSIS } from "./analysis";
import { ANALYSIS_OPTIONS } from "./analysisOptions";
import { ANSWERS } from "./answers";
import { ATTRIBUTES } from "./attributes";
import { CHECKIN } from "./checkin";
import { CHECKUP } from "./checkup";
import { CHECKUP_DESK } from "./checkupDesk";
import { DISTRICT } from "./district";
import { FRAME } from "./frame";
import { IMPORTS } from "./imports";
import { LAYERS } from "./layers";
import { OFFICE } from "./office";
import { OFFICE_POLICY } from "./officePolicy";
import { PIPES } from "./pipes";
import { RECEIPT } from "./receipt";
import { RENEWAL } from "./renewal";
import { RENEWAL_CHOSEN } from "./renewalChosen";
import { RENEWAL_ORDERS } from "./renewalOrders";
import { SEARCH } from "./search";
import { SENSING } from "./sensing";
import { SERIES } from "./series";
import { THEME } from "./theme";
import { THING_CARD } from "./thingCard";
import { TOOLS } from "./tools";
import { TRAFFIC } from "./traffic";
import { TRAFFIC_PANELS } from "./trafficPanels";
import { VERSIONS } from "./versions";

/** What one file of texts holds: each in every language, with the same `{parameters}`. */
export type Texts = Record<string, Localized>;

export const PANELS = [ACCOUNT, ALARMS, ANALYSIS, ANALYSIS_OPTIONS, ANSWERS, ATTRIBUTES, CHECKIN, CHECKUP, CHECKUP_DESK, DISTRICT, FRAME, IMPORTS, LAYERS, OFFICE, OFFICE_POLICY, PIPES, RECEIPT, RENEWAL, RENEWAL_CHOSEN, RENEWAL_ORDERS, SEARCH, SENSING, SERIES, THEME, THING_CARD, TOOLS, TRAFFIC, TRAFFIC_PANELS, VERSIONS] as const;

type KeyOf<Panel> = Panel extends Texts ? keyof Panel : never;
export type TextKey = KeyOf<(typeof PANELS)[number]>;

export const TEXTS: Record<TextKey, Localized> = Object.assign({}, ...PANELS);
