/** Links that sign one in, once: their token is in the fragment of the address. */
import { account } from "./data/session";
import { splitToken } from "./permalink";
import { errorText } from "./ui/errors";
import { toast } from "./ui/toast";

/** Takes the token out of the address, before anything else sees it. */
export function takeToken(): string | null {
  const { token, rest } = splitToken(location.hash);
  if (token !== null) history.replaceState(null, "", rest ? `#${rest}` : `${location.pathname}${location.search}`);
  return token;
}

/** Signs in; false, and said why, where the server takes the token no more. */
export async function follow(token: string): Promise<boolean> {
  try {
    await account.follow(token);
    return true;
  } catch (error) {
    toast(errorText(error), "error");
    return false;
  }
}
