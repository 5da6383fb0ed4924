/**
 * Reads server-sent events from text that comes in parts. The browser's own EventSource
 * cannot send a token.
 *
 * @typedef {{id: string, event: string, data: string}} ServerEvent
 */
export class EventParser {
  #rest = '';
  #id = '';
  #event = '';
  /** @type {string[]} */
  #data = [];

  /**
   * Takes a part of the text and gives the events that it completes. A bare id is one
   * without data: it says how far the feed is.
   * @param {string} text
   * @returns {ServerEvent[]}
   */
  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#line(line));
  }

  /** @param {string} line @returns {ServerEvent[]} */
  #line(line) {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'id' && !value.includes('\0')) this.#id = value;
    if (name === 'event') this.#event = value;
    if (name === 'data') this.#data.push(value);
    return [];
  }

  /** @returns {ServerEvent[]} */
  #dispatch() {
    const told = { id: this.#id, event: this.#event, data: this.#data.join('\n') };
    this.#event = '';
    this.#data = [];
    return [told];
  }
}
