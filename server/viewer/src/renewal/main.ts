import "../css/base.css";
import "../css/frame.css";
import "../css/panels.css";
import "../css/analysis.css";
import "../css/attributes.css";
import "../css/dialogs.css";
import "../css/account.css";
import "../css/office.css";
import "../css/officeTables.css";
import "../css/district.css";
import "../css/renewal.css";
import "../css/renewalSides.css";
import "../css/renewalTime.css";
import "../css/districtMap.css";
import "../css/scrollTable.css";
import "../css/renewalTable.css";
import "../css/renewalChosen.css";
import "../css/renewalFigures.css";
import "../css/renewalPages.css";
import "../css/renewalOrders.css";
import "../css/renewalDialogs.css";
import "../css/night.css";
import "../css/renewalWall.css";
import "../css/renewalPrint.css";
import { Account } from "../account";
import { append, h } from "../dom";
import { initialLanguage, languageChanged, setLanguage, t } from "../i18n";
import { Live } from "../live";
import { askToSignIn, cityAndSession, open } from "../page/opening";
import { errorText } from "../ui/errors";
import { overlayElement, showMessage } from "../ui/overlay";
import { toast } from "../ui/toast";
import { keepAddress, readAddress } from "./address";
import { renewal } from "./api";
import { frame } from "./frame";
import { Store } from "./store";
import { testHook } from "./testHook";

window.CESIUM_BASE_URL = CESIUM_URL;

async function start(root: HTMLElement): Promise<void> {
  const address = readAddress(location.hash);
  setLanguage(address.lang ?? initialLanguage(navigator.language));
  const whole = h("div", { class: "renewal-whole" }, overlayElement());
  append(root, whole);
  showMessage({ busy: true, title: () => t("renewal.loading") });
  const [city, session] = await cityAndSession();
  const title = () => (document.title = `${city.name} – ${t("renewal.title")}`);
  languageChanged.on(title);
  title();
  const own = new Account(session);
  if (!session.may.includes("read")) return askToSignIn(own);

  const store = new Store(await renewal.overview());
  const live = new Live();
  const view = frame(city, own, store, live);
  store.failed.on((error) => toast(t("renewal.failed", { detail: errorText(error) }), "error"));
  store.loaded.on(() =>
    showMessage(store.overview.span ? null : { icon: "map", title: () => t("renewal.nothing"), hint: () => t("renewal.nothingHint") }),
  );
  own.changed.on(() => {
    view.element.inert = own.ended;
    if (own.ended) askToSignIn(own);
  });
  whole.prepend(view.element);
  view.rotation.on = address.rotate;
  store.takeUp(address.choices);
  await new Promise<void>((resolve) => {
    const stop = [store.loaded, store.failed].map((signal) => signal.on(() => (stop.forEach((off) => off()), resolve())));
  });
  if (store.mode !== "table") await view.stage.open();
  keepAddress(store, view.rotation);
  live.renewal.on(({ revision }) => void (revision !== store.revision && store.refresh()));
  live.resumed.on(() => void store.refresh());
  live.layer.on(() => void view.stage.view?.layers.refresh().catch(() => undefined)); // the next news brings it
  live.connect();
  void view.player.prepare();
  window.renewal = testHook(store, view);
}

open(start);
