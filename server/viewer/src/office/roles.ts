/** The rules of roles that the page knows before the server is asked. */
import { ROLES } from "./types";

/** Who sets the rules does not also read over everybody's shoulder, themselves included. */
const APART = ["security-administrator", "auditor"] as const;

export function excludeEachOther(roles: Iterable<string>): boolean {
  const held = new Set(roles);
  return APART.every((role) => held.has(role));
}

/** Roles in the order in which they are listed everywhere; unknown ones last. */
export function inOrder(roles: readonly string[]): string[] {
  const place = (role: string) => {
    const known = (ROLES as readonly string[]).indexOf(role);
    return known < 0 ? ROLES.length : known;
  };
  return [...roles].sort((a, b) => place(a) - place(b));
}
