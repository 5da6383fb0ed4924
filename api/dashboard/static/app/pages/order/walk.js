/** The way that an order took. */
import { isBy } from './moment.js';

/**
 * Gives the states that an order had, in their order, each once for each time that it was
 * entered. A headline only rises, so no state comes twice.
 * @param {import('../../core/types.js').TimelineEntry[]} entries
 * @param {string} at up to this moment; empty for all
 */
export function walk(entries, at) {
  /** @type {string[]} */
  const way = ['placed'];
  for (const entry of entries) {
    if (!isBy(entry, at)) break;
    if (!way.includes(entry.state)) way.push(entry.state);
  }
  return way;
}
