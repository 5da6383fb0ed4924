/** A moment in the life of an order: a stream sequence, or a time, as the API takes them. */

/** @typedef {import('../../core/types.js').TimelineEntry} TimelineEntry */

/**
 * Whether a webhook had come by then.
 * @param {TimelineEntry} entry
 * @param {string} at empty for now
 */
export function isBy({ stream_sequence, received_at }, at) {
  if (at === '') return true;
  return /^\d+$/.test(at) ? stream_sequence <= Number(at) : Date.parse(received_at) <= Date.parse(at);
}
