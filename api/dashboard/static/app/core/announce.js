/** What a screen reader is told of, politely and not too often. */
import { signal } from '@preact/signals';

/** Longer than it takes to say a sentence. */
const pause = 3000;

export const announcement = signal('');

let last = 0;
/** @type {ReturnType<typeof setTimeout>|undefined} */
let waiting;

/**
 * Says something; of what comes too fast only the last is said.
 * @param {string} text
 */
export function announce(text) {
  clearTimeout(waiting);
  const wait = Math.max(0, last + pause - Date.now());
  waiting = setTimeout(() => {
    last = Date.now();
    announcement.value = text;
  }, wait);
}
