/** Asks for what changed, every few seconds, where the API has no feed. */
import { get } from './api.js';

/**
 * @typedef {import('./types.js').Order} Order
 * @typedef {import('./follow.js').Out} Out
 */

/** How long between two looks, in milliseconds. */
export const pollInterval = 3000;

/** What came up to so long before the last look is asked for again: the clocks of two
 * webhooks that come at once need not be in the order of the stream. */
const overlap = 10_000;

/** So often all is read anew: an order whose webhook was released bears an old time. */
const anew = 60_000;

export class Poller {
  #out;
  /** The newest last_seen_at that was told. */
  #mark = 0;
  /** @type {Map<string, number>} the versions that were told lately, by order */
  #told = new Map();

  /** @param {Out} out */
  constructor(out) {
    this.#out = out;
  }

  /**
   * Asks until an answer fails, which is an error.
   * @param {AbortSignal} signal
   */
  async run(signal) {
    let reset = 0;
    while (!signal.aborted) {
      if (Date.now() - reset > anew) {
        reset = Date.now();
        await this.#begin(signal);
        this.#out.told('polling');
        this.#out.reset();
      }
      await new Promise((resolve) => setTimeout(resolve, pollInterval));
      await this.#look(signal, (order) => this.#out.change({ order, state: order.state }));
      this.#out.told('polling');
    }
  }

  /** @param {AbortSignal} signal */
  async #begin(signal) {
    const { orders } = await get('/v1/orders', { limit: 1 }, signal);
    if (orders.length === 0) return;
    this.#mark = Date.parse(orders[0].last_seen_at);
    await this.#look(signal, () => {}); // these are no news
  }

  /**
   * Asks for what changed, and tells of it.
   * @param {AbortSignal} signal
   * @param {(order: Order) => void} tell
   */
  async #look(signal, tell) {
    const since = new Date(Math.max(0, this.#mark - overlap)).toISOString();
    const told = new Map();
    for (let cursor = ''; cursor !== null && !signal.aborted; ) {
      const page = await get('/v1/orders', { updated_since: since, sort: 'updated', limit: 200, cursor }, signal);
      for (const order of page.orders) this.#note(order, told, tell);
      cursor = page.next_cursor;
    }
    this.#told = told;
  }

  /** @param {Order} order @param {Map<string, number>} told @param {(order: Order) => void} tell */
  #note(order, told, tell) {
    const id = order.source + '/' + order.key;
    told.set(id, order.version);
    this.#mark = Math.max(this.#mark, Date.parse(order.last_seen_at));
    if (this.#told.get(id) !== order.version) tell(order);
  }
}
