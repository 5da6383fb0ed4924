/** The headlines of orders, and which order somebody should look at. */

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
 * What should come next, in words, of the states that may: what goes wrong is not hoped for.
 * @param {string[]} next
 */
export const hoped = (next) => next.filter((state) => state !== 'failed' && state !== 'canceled').map(stateName).join(' or ');

/** From this share of the limit on, an order is late soon. */
const soon = 0.8;

/**
 * Tells whether an order takes too long: "late" since by milliseconds, "soon", or "".
 * @param {{since: number, limit: number|null}} standing since in milliseconds; limit in
 *   seconds, null where there is none
 * @param {number} at
 * @returns {{kind: ''|'soon'|'late', by: number}}
 */
export function lateness({ since, limit }, at) {
  if (limit === null) return { kind: '', by: 0 };
  const by = at - since - limit * 1000;
  if (by >= 0) return { kind: 'late', by };
  return { kind: at - since >= limit * 1000 * soon ? 'soon' : '', by: 0 };
}
