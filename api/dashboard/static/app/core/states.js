/** The headlines of orders, and how long one may take before somebody should look. */

/** The states of orders that go on, in rising order. */
export const openStates = ['placed', 'accepted', 'in-kitchen', 'ready', 'rider-delivering'];

/** The states of orders that have ended. */
export const endedStates = ['completed', 'closed', 'failed', 'canceled'];

export const states = [...openStates, ...endedStates];

/** @type {Record<string, string>} */
const names = {
  placed: 'Placed',
  accepted: 'Accepted',
  'in-kitchen': 'In kitchen',
  ready: 'Ready',
  'rider-delivering': 'Delivering',
  completed: 'Completed',
  closed: 'Closed',
  failed: 'Failed',
  canceled: 'Canceled',
};

/** @param {string} state */
export const stateName = (state) => names[state] ?? state;

/**
 * How long an order may be in a state, in seconds, where the API sets no limits: longer
 * than most kitchens and riders take, shorter than anybody wants to wait.
 * @type {Record<string, number>}
 */
const usual = { placed: 5 * 60, accepted: 10 * 60, 'in-kitchen': 25 * 60, ready: 10 * 60, 'rider-delivering': 45 * 60 };

/** From this share of the limit on, an order is late soon. */
const soon = 0.8;

/**
 * Tells whether an order takes too long: "late" since by milliseconds, "soon", or "".
 * @param {{state: string, since: number, limit?: number|null}} standing since in
 *   milliseconds; limit in seconds, as the API gives it; null where it gives none
 * @param {number} at
 * @returns {{kind: ''|'soon'|'late', by: number}}
 */
export function lateness({ state, since, limit }, at) {
  const seconds = limit === undefined ? usual[state] : limit;
  if (!seconds) return { kind: '', by: 0 };
  const by = at - since - seconds * 1000;
  if (by >= 0) return { kind: 'late', by };
  return { kind: at - since >= seconds * 1000 * soon ? 'soon' : '', by: 0 };
}
