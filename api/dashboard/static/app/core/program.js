/** What the program that answers says of itself, each time the page connects to it. */
import { signal } from '@preact/signals';
import { get } from './api.js';

/**
 * @typedef {import('./types.js').Limit} Limit
 * @typedef {import('./types.js').Projection} Projection
 */

/** Whether it is of another version than the page. */
export const replaced = signal(false);

/** How long orders may be in a state. */
const limits = signal(/** @type {Limit[]} */ ([]));

/**
 * Asks for what is told of the program.
 * @param {AbortSignal} signal
 */
export async function meet(signal) {
  const [list, projection] = await Promise.all([get('/v1/limits', {}, signal), get('/v1/projection', {}, signal)]);
  limits.value = list.limits;
  replaced.value = (/** @type {Projection} */ (projection).program_version ?? '') !== pageVersion();
}

/**
 * The limit of an order in its present state, in seconds; null where it has none. Read in a
 * component, it has that rendered again when the limits are known.
 * @param {{source: string, state: string}} order
 */
export function limitOf({ source, state }) {
  const ofState = limits.value.filter((limit) => limit.state === state);
  const own = ofState.find((limit) => limit.source === source) ?? ofState.find((limit) => limit.source === null);
  return own?.limit_seconds ?? null;
}

/** The version of the program that the page came from. */
const pageVersion = () => document.querySelector('meta[name="version"]')?.getAttribute('content');
