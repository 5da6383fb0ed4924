/** Follows the feed of changes of the API, from where it was left. */
import { ask } from './api.js';
import { EventParser } from './events.js';

/**
 * @typedef {import('./types.js').Change} Change
 * @typedef {{change: (change: Change) => void, reset: () => void, live: () => Promise<void>}} Out
 *
 * Where the feed was left: the id of the last event, empty before the first.
 * @typedef {{last: string}} Place
 */

/** The feed's heart beats more often; a silence as long is a lost connection. */
const silence = 45_000;

export class Follower {
  #out;
  #place;

  /** @param {Out} out @param {Place} place */
  constructor(out, place) {
    this.#out = out;
    this.#place = place;
  }

  /**
   * Follows until the connection ends, which is an error whatever ended it.
   * @param {AbortSignal} outer
   */
  async run(outer) {
    const controller = new AbortController();
    const abort = () => controller.abort();
    outer.addEventListener('abort', abort, { once: true });
    let watchdog = setTimeout(abort, silence);
    try {
      const query = this.#place.last && `?after=${encodeURIComponent(this.#place.last)}`;
      const headers = { Accept: 'text/event-stream' };
      const response = await ask('GET', '/v1/changes' + query, { signal: controller.signal, headers });
      await this.#out.live();
      for await (const text of texts(response)) {
        clearTimeout(watchdog);
        watchdog = setTimeout(abort, silence);
        this.#take(text);
      }
      throw new Error('The connection was closed.');
    } finally {
      clearTimeout(watchdog);
      outer.removeEventListener('abort', abort);
      this.#parser = new EventParser(); // half an event is none
    }
  }

  #parser = new EventParser();

  /** @param {string} text */
  #take(text) {
    for (const { id, event, data } of this.#parser.push(text)) {
      if (event === 'reset') this.#out.reset();
      if (event === 'change') this.#out.change(JSON.parse(data));
      if (id) this.#place.last = id;
    }
  }
}

/** The parts of a response as they come. @param {Response} response */
async function* texts(response) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}
