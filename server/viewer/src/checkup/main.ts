import "../css/base.css";
import "../css/frame.css";
import "../css/panels.css";
import "../css/analysis.css";
import "../css/attributes.css";
import "../css/dialogs.css";
import "../css/account.css";
import "../css/office.css";
import "../css/district.css";
import "../css/districtMap.css";
import "../css/scrollTable.css";
import "../css/renewalChosen.css";
import "../css/renewalPages.css";
import "../css/renewalOrders.css";
import "../css/renewalDialogs.css";
import "../css/night.css";
import "../css/checkup.css";
import "../css/checkupWheel.css";
import "../css/checkupTables.css";
import "../css/checkupSides.css";
import "../css/checkupSets.css";
import "../css/checkupSigns.css";
import "../css/checkupComposer.css";
import { Account } from "../account";
import { append, h } from "../dom";
import { initialLanguage, languageChanged, setLanguage, t } from "../i18n";
import { Live } from "../live";
import { askToSignIn, cityAndSession, open } from "../page/opening";
import { errorText } from "../ui/errors";
import { overlayElement, showMessage } from "../ui/overlay";
import { toast } from "../ui/toast";
import { keepAddress, readAddress } from "./address";
import { checkup } from "./api";
import { frame } from "./frame";
import { Store } from "./store";
import { testHook } from "./testHook";

window.CESIUM_BASE_URL = CESIUM_URL;

async function start(root: HTMLElement): Promise<void> {
  const address = readAddress(location.hash);
  setLanguage(address.lang ?? initialLanguage(navigator.language));
  const whole = h("div", { class: "checkup-whole" }, overlayElement());
  append(root, whole);
  showMessage({ busy: true, title: () => t("checkup.loading") });
  const [city, session] = await cityAndSession();
  const title = () => (document.title = `${city.name} – ${t("checkup.title")}`);
  languageChanged.on(title);
  title();
  const own = new Account(session);
  if (!session.may.includes("read")) return askToSignIn(own);

  const store = new Store(await checkup.overview());
  const live = new Live();
  store.failed.on((error) => toast(t("renewal.failed", { detail: errorText(error) }), "error"));
  const view = frame(city, own, store, live);
  own.changed.on(() => {
    view.element.inert = own.ended;
    if (own.ended) askToSignIn(own);
  });
  whole.prepend(view.element);
  store.takeUp(address.choices);
  showMessage(null);
  await store.opened;
  void store.loadProjects();
  if (!view.stage.element.hidden) await view.stage.open();
  keepAddress(store);
  live.checkup.on(() => void store.refresh());
  live.resumed.on(() => void store.reload());
  live.layer.on(() => void view.stage.view?.layers.refresh().catch(() => undefined)); // the next news brings it
  live.connect();
  window.checkup = testHook(store, view);
}

open(start);
