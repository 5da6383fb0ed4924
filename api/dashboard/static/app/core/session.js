/**
 * The token of the API, where it wants one. It is kept for this tab alone, and is never
 * part of an address.
 */
import { signal } from '@preact/signals';

const kept = 'ticketrail-token';

/** Whether the API has refused to answer without a token, or with the one that there is. */
export const tokenWanted = signal(false);

/** Counts the tokens that were given: what was asked before is asked anew. */
export const session = signal(0);

/** The headers that a request bears. @returns {Record<string, string>} */
export function authorization() {
  const token = sessionStorage.getItem(kept);
  return token ? { Authorization: 'Bearer ' + token } : {};
}

/** Whether a token was given in this tab. */
export const hasToken = () => sessionStorage.getItem(kept) !== null;

/** @param {string} token */
export function giveToken(token) {
  sessionStorage.setItem(kept, token);
  session.value++;
  tokenWanted.value = false;
}

/** Forgets the token, as at the end of a shift. */
export function forgetToken() {
  sessionStorage.removeItem(kept);
  session.value++;
  tokenWanted.value = true;
}
