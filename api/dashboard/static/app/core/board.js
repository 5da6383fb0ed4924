/**
 * The orders on the board: cards in columns by state. It knows nothing of the page, and
 * takes an order of the feed, of a list or of both, in any order.
 */
import { signal } from '@preact/signals';
import { limitOf } from './program.js';
import { endedStates, lateness, states } from './states.js';

/**
 * @typedef {import('./types.js').Order} Order
 * @typedef {{source?: string, store?: string, problem?: string, q?: string}} Filters
 *
 * @typedef {{
 *   id: string, source: string, key: string, reference: string|null, store: string|null,
 *   state: string, since: number, limit: number|null, expected: string[], total: string|null,
 *   currency: string|null, problem: string|null, kind: string|null, sequence: number,
 * }} Card
 */

/** Of orders that have ended only the newest are kept: they are without number. */
export const endedKept = 200;

export class Board {
  /** @type {Map<string, Card>} */
  #cards = new Map();
  /** @type {Map<string, Set<Card>>} */
  #columns = new Map(states.map((state) => [state, new Set()]));
  /** @type {Map<string, number>} what left while a list was read, with its sequence */
  #left = new Map();
  /** @type {Map<string, import('@preact/signals').Signal<number>>} */
  #changed = new Map(states.map((state) => [state, signal(0)]));
  /** @type {Set<string>} */
  #dirty = new Set();
  #scheduled = false;
  /** @type {Set<string>|null} what a list that is being read has told */
  #listed = null;
  #schedule;

  /**
   * @param {Filters} filters
   * @param {(flush: () => void) => void} schedule when to tell of changes; many are told at once
   */
  constructor(filters = {}, schedule = (flush) => void requestAnimationFrame(flush)) {
    this.filters = filters;
    this.#schedule = schedule;
  }

  /**
   * Has other orders wanted: those that are not go at once.
   * @param {Filters} filters
   */
  filter(filters) {
    this.filters = filters;
    for (const card of [...this.#cards.values()]) if (!matches(card, filters)) this.#remove(card);
  }

  /** Begins to read the lists anew: what they do not tell goes at the end. */
  begin() {
    this.#listed = new Set();
    this.#left.clear();
  }

  /** Ends it. */
  end() {
    const listed = this.#listed ?? new Set();
    this.#listed = null;
    for (const [id, card] of [...this.#cards]) if (!listed.has(id)) this.#remove(card);
    this.#left.clear();
  }

  /**
   * Takes an order as it stands; one that is older than what is known changes nothing.
   * @param {Order} order
   */
  put(order) {
    const card = cardOf(order);
    const known = this.#cards.get(card.id);
    this.#listed?.add(card.id);
    if ((known?.sequence ?? this.#left.get(card.id) ?? 0) > card.sequence) return;
    if (known) this.#remove(known);
    if (!matches(card, this.filters)) {
      this.#left.set(card.id, card.sequence);
      return;
    }
    this.#cards.set(card.id, card);
    this.#columns.get(card.state)?.add(card);
    this.#touch(card.state);
  }

  /** How many cards a column has. @param {string} state @param {number} [lateAt] as of cards */
  size(state, lateAt) {
    return lateAt === undefined ? (this.#columns.get(state)?.size ?? 0) : this.#late(state, lateAt).length;
  }

  /**
   * The cards of a column. Those that go on are by their time in the state, the longest
   * first, since they need somebody first; those that ended are the newest first.
   * @param {string} state
   * @param {number} [lateAt] only those that are late then, in milliseconds
   */
  cards(state, lateAt) {
    const newestFirst = endedStates.includes(state) ? -1 : 1;
    return this.#late(state, lateAt).sort((a, b) => newestFirst * (a.since - b.since) || (a.id < b.id ? -1 : 1));
  }

  /** Read in a component, it has that rendered again when the column changes. @param {string} state */
  watch(state) {
    return this.#changed.get(state)?.value;
  }

  /** @param {string} state @param {number} [at] */
  #late(state, at) {
    const cards = [...(this.#columns.get(state) ?? [])];
    return at === undefined ? cards : cards.filter((card) => lateness(card, at).kind === 'late');
  }

  /** @param {Card} card */
  #remove(card) {
    this.#cards.delete(card.id);
    this.#columns.get(card.state)?.delete(card);
    this.#touch(card.state);
  }

  /** @param {string} state */
  #touch(state) {
    this.#dirty.add(state);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => this.#flush());
  }

  #flush() {
    for (const state of endedStates) if (this.#dirty.has(state)) this.#trim(state);
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    this.#scheduled = false;
    for (const state of dirty) {
      const changed = this.#changed.get(state);
      if (changed) changed.value++;
    }
  }

  /** @param {string} state */
  #trim(state) {
    for (const card of this.cards(state).slice(endedKept)) {
      this.#cards.delete(card.id);
      this.#columns.get(state)?.delete(card);
    }
  }
}

/** @param {Order} order @returns {Card} */
export function cardOf(order) {
  return {
    id: order.source + '/' + order.key,
    source: order.source,
    key: order.key,
    reference: order.reference,
    store: order.store_id,
    state: order.state,
    since: Date.parse(order.state_since),
    limit: limitOf(order),
    expected: order.expected_next,
    total: order.total,
    currency: order.currency,
    problem: order.problem?.reason ?? null,
    kind: order.fulfillment_kind,
    sequence: order.stream_sequence,
  };
}

/**
 * Whether an order is wanted, by the same rules as those of the API.
 * @param {Card} card
 * @param {Filters} filters
 */
export function matches(card, { source, store, problem, q }) {
  const holds = (/** @type {string|null} */ text) => (text ?? '').toLowerCase().includes((q ?? '').toLowerCase());
  return (
    (!source || card.source === source) &&
    (!store || card.store === store) &&
    (!problem || (card.problem !== null) === (problem === 'true')) &&
    (!q || holds(card.key) || holds(card.reference))
  );
}
