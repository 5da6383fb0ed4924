/** The way that an order took. */

/**
 * Gives the states that an order had, in their order, each once for each time that it was
 * entered. A headline only rises, so no state comes twice.
 * @param {import('../../core/types.js').TimelineEntry[]} entries
 * @param {number|null} at up to this stream sequence; null for all
 */
export function walk(entries, at) {
  /** @type {string[]} */
  const way = ['placed'];
  for (const { state, stream_sequence } of entries) {
    if (at !== null && stream_sequence > at) break;
    if (!way.includes(state)) way.push(state);
  }
  return way;
}
