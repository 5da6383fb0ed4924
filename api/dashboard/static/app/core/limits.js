/** How long orders may be in a state: the limits of the API, where it has any. */
import { get, Problem } from './api.js';

/**
 * @typedef {import('./types.js').Order} Order
 * @typedef {{source?: string|null, state: string, limit_seconds: number}} Limit
 */

/** @type {Limit[]|null} null where the API has none */
let limits = null;

/** Reads the limits. An API that knows none leaves those that are usual. */
export async function loadLimits() {
  limits = await get('/v1/limits').then(
    (answer) => answer.limits,
    (error) => {
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    },
  );
}

/**
 * The limit of an order in its present state, in seconds; null where it has none, and
 * undefined where the API tells nothing of limits.
 * @param {Order} order
 */
export function limitOf(order) {
  if (order.late) return order.late.limit_seconds;
  if (limits === null) return order.late;
  const ofState = limits.filter((limit) => limit.state === order.state);
  const own = ofState.find((limit) => limit.source === order.source) ?? ofState.find((limit) => !limit.source);
  return own?.limit_seconds ?? null;
}
