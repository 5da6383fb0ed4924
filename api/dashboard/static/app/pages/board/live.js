/** Keeps a board up to date: reads its lists, follows the changes, and counts. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { get } from '../../core/api.js';
import { Board } from '../../core/board.js';
import { subscribe } from '../../core/feed.js';
import { load } from '../../core/loader.js';

/**
 * @typedef {import('../../core/types.js').Order} Order
 * @typedef {import('../../core/types.js').Stats} Stats
 * @typedef {import('../../core/board.js').Filters} Filters
 */

/** The counts of all orders are read again at most so often, in milliseconds. */
const countEvery = 2000;

/**
 * Gives a board of the orders that the filters want. While it is paused the changes wait.
 * @param {Filters} filters
 * @param {boolean} paused
 */
export function useBoard(filters, paused) {
  const board = useRef(/** @type {Board|null} */ (null));
  board.current ??= new Board(filters);
  const state = useSignal({ loaded: false, error: /** @type {Error|null} */ (null), more: /** @type {Set<string>} */ (new Set()) });
  const waiting = useWaiting(board.current, paused);
  const totals = useTotals(filters);
  const wanted = JSON.stringify(filters);
  const again = useRef(() => {});

  useEffect(() => {
    const own = /** @type {Board} */ (board.current);
    own.filter(filters);
    state.value = { ...state.peek(), loaded: false };
    let controller = new AbortController();
    const read = async () => {
      controller.abort();
      const { signal } = (controller = new AbortController());
      try {
        const more = await load(own, signal);
        state.value = { loaded: true, error: null, more };
        totals.read();
      } catch (error) {
        if (!signal.aborted) state.value = { ...state.peek(), error: /** @type {Error} */ (error) };
      }
    };
    again.current = read;
    const end = subscribe({ reset: read, change: ({ order }) => (waiting.hold(order) ? undefined : own.put(order), totals.touch()) });
    return () => {
      end();
      controller.abort();
    };
  }, [wanted]);
  return { board: board.current, ...state.value, waiting: waiting.size, totals: totals.value, again: () => again.current() };
}

/**
 * Holds back what comes while the board is paused: of each order the last.
 * @param {Board} board
 * @param {boolean} paused
 */
function useWaiting(board, paused) {
  const held = useRef(/** @type {Map<string, Order>} */ (new Map()));
  const isPaused = useRef(paused);
  const size = useSignal(0);
  useEffect(() => {
    isPaused.current = paused;
    if (paused) return;
    held.current.forEach((order) => board.put(order));
    held.current.clear();
    size.value = 0;
  }, [paused]);
  const hold = (/** @type {Order} */ order) => {
    if (!isPaused.current) return false;
    held.current.set(order.source + '/' + order.key, order);
    size.value = held.current.size;
    return true;
  };
  return { hold, size: size.value };
}

/**
 * How many orders there are in each state, of the filtered source or of all; for the
 * other filters nobody counts, and there are no totals.
 * @param {Filters} filters
 */
function useTotals({ source, store, problem, q }) {
  const counted = useSignal(/** @type {Map<string, number>} */ (new Map()));
  const timer = useRef(0);
  const read = async () => {
    const { orders } = /** @type {Stats} */ (await get('/v1/stats', { minutes: 1 }));
    const sums = new Map();
    for (const { source: of, state, orders: n } of orders) if (!source || of === source) sums.set(state, (sums.get(state) ?? 0) + n);
    counted.value = sums;
  };
  const reader = useRef(read);
  reader.current = read;
  const readNow = () => void reader.current().catch(() => {}); // the feed tells that nobody answers
  const touch = () => {
    timer.current ||= setTimeout(() => ((timer.current = 0), readNow()), countEvery);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return { value: store || problem || q ? new Map() : counted.value, read: readNow, touch };
}
