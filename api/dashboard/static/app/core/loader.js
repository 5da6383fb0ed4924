/** Reads the lists that the board begins with. */
import { get } from './api.js';
import { endedStates, openStates } from './states.js';

/** @typedef {import('./board.js').Board} Board */

/** Of one state so many orders are read; the feed brings those that move later. */
export const maxOpen = 20_000;

/** So many of those that ended are shown at first. */
const endedShown = 50;

const pageSize = 200;

/**
 * Reads what the filters of a board want, all states at once, and puts it there page by
 * page: of orders that go on, those first that have waited longest. It gives the states of
 * which there is more.
 * @param {Board} board
 * @param {AbortSignal} signal
 * @returns {Promise<Set<string>>}
 */
export async function load(board, signal) {
  board.begin();
  /** @type {Set<string>} */
  const more = new Set();
  const reads = [
    ...openStates.map((state) => readState(board, { state, limit: pageSize, sort: 'updated' }, maxOpen, signal, more)),
    ...endedStates.map((state) => readState(board, { state, limit: endedShown }, endedShown, signal, more)),
  ];
  await Promise.all(reads);
  board.end();
  return more;
}

/**
 * @param {Board} board
 * @param {{state: string, limit: number, sort?: string}} list
 * @param {number} most
 * @param {AbortSignal} signal
 * @param {Set<string>} more
 */
async function readState(board, list, most, signal, more) {
  let cursor = '';
  for (let read = 0; read < most; read += list.limit) {
    const page = await get('/v1/orders', { ...board.filters, ...list, cursor }, signal);
    page.orders.forEach((/** @type {import('./types.js').Order} */ order) => board.put(order));
    cursor = page.next_cursor;
    if (!cursor) return;
  }
  more.add(list.state);
}
