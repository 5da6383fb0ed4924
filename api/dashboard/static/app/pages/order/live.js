/** Reads an order with its timeline, and again whenever it changes. */
import { useEffect } from 'preact/hooks';
import { get, orderPath } from '../../core/api.js';
import { subscribe } from '../../core/feed.js';
import { useAnswer } from '../../core/resource.js';

/**
 * @typedef {import('../../core/types.js').Order} Order
 * @typedef {import('../../core/types.js').TimelineEntry} TimelineEntry
 */

/** A timeline is read whole, up to so many entries: no real order has as many. */
const maxEntries = 2000;

/**
 * @param {{source: string, key: string}} name
 * @param {string} at the stream sequence to look back to; empty for now
 */
export function useOrder(name, at) {
  const path = orderPath(name);
  const now = useAnswer(async (signal) => {
    const [order, timeline] = await Promise.all([get(path, {}, signal), readTimeline(path, signal)]);
    return { order: /** @type {Order} */ (order), ...timeline };
  }, [path]);
  const then = useAnswer(async (signal) => (at ? /** @type {Order} */ (await get(path, { at }, signal)) : null), [path, at]);
  useEffect(() => {
    let began = false; // a reset at once is about what is being read just now
    const end = subscribe({
      reset: () => began && now.again(),
      change: ({ order }) => order.source === name.source && order.key === name.key && now.again(),
    });
    began = true;
    return end;
  }, [path]);
  return {
    order: now.value?.order ?? null,
    entries: now.value?.entries ?? [],
    complete: now.value?.complete ?? true,
    then: at ? then.value : null,
    error: now.error ?? then.error,
    again: () => (now.again(), then.again()),
  };
}

/** @param {string} path @param {AbortSignal} signal */
async function readTimeline(path, signal) {
  /** @type {TimelineEntry[]} */
  const entries = [];
  let cursor = '';
  do {
    const page = await get(path + '/timeline', { limit: 200, cursor }, signal);
    entries.push(...page.entries);
    cursor = page.next_cursor;
  } while (cursor && entries.length < maxEntries);
  return { entries, complete: !cursor };
}
