/** What sets two standings of one order apart. */

/** @typedef {import('../../core/types.js').Order} Order */

/** What changes with every webhook says nothing. */
const unsaid = ['version', 'stream_sequence', 'last_seen_at', 'updated_at', 'state_since', 'late'];

/**
 * Gives the fields that differ, with both values as texts.
 * @param {Order} then
 * @param {Order} now
 * @returns {{name: string, then: string, now: string}[]}
 */
export function differences(then, now) {
  const before = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (then));
  return Object.entries(now)
    .filter(([name]) => !unsaid.includes(name))
    .map(([name, value]) => ({ name: name.replaceAll('_', ' '), then: tell(before[name]), now: tell(value) }))
    .filter((field) => field.then !== field.now);
}

/** @param {unknown} value */
function tell(value) {
  if (value === null || value === undefined) return '–';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map((one) => one.code ?? one.id).join(', ');
  if (typeof value === 'object') return /** @type {{reason?: string}} */ (value).reason ?? Object.values(value).filter((one) => one !== null).join(', ');
  return String(value);
}
