/**
 * What happens to orders, as it happens: one connection for the whole page, whoever
 * listens, and none while nobody can see it, since a browser has six for all of its tabs.
 * While as many follow as may, lists are read again and again instead. The standing of the
 * connection is told, so that nothing is ever stale in silence.
 */
import { effect, signal } from '@preact/signals';
import { Follower } from './follow.js';
import { meet } from './program.js';
import { session, tokenWanted } from './session.js';
import { Problem } from './api.js';

/** @typedef {import('./types.js').Change} Change */
/**
 * @typedef {{change: (change: Change) => unknown, reset: () => unknown}} Listener
 * reset says that lists have to be read: once in the beginning, and anew.
 *
 * connecting: nothing is known yet; live: changes come as they happen; full: too many
 * follow, and lists are read again; lost: nobody answers, since when.
 * @typedef {{mode: 'connecting'|'live'|'full'|'lost', since: number, reason: string}} Standing
 */

/** @type {import('@preact/signals').Signal<Standing>} */
export const standing = signal({ mode: 'connecting', since: Date.now(), reason: '' });

/** When it is tried again, in milliseconds, while the connection is lost. */
export const nextTry = signal(0);

/** How long to wait after each failure, in milliseconds; the last one holds on. */
const waits = [500, 1000, 2000, 5000, 10000];

/** How often lists are read again while too many follow, in milliseconds. */
export const readAgain = 3000;

/** @type {Set<Listener>} */
const listeners = new Set();

/** Those that have to read their lists when there is a connection. @type {Set<Listener>} */
const unread = new Set();

/**
 * Listens until the function that it gives is called.
 * @param {Listener} listener
 */
export function subscribe(listener) {
  listeners.add(listener);
  unread.add(listener);
  if (standing.value.mode === 'live' || standing.value.mode === 'full') readLists();
  return () => void (listeners.delete(listener), unread.delete(listener));
}

/** Has all lists read when that is next done. */
const readAll = () => listeners.forEach((listener) => unread.add(listener));

function readLists() {
  const due = [...unread];
  unread.clear();
  due.forEach((listener) => listener.reset());
}

/** Whether anybody can see the page. */
const shown = signal(!document.hidden);

/** Tries at once, where it would be tried later. */
export let tryNow = () => {};

/** Follows the changes for as long as the page can be seen, anew with each token. */
export function startFeed() {
  document.addEventListener('visibilitychange', () => (shown.value = !document.hidden));
  let place = { last: '' };
  let of = session.peek();
  effect(() => {
    if (of !== session.value) { // a new token is a new beginning
      [place, of] = [{ last: '' }, session.value];
      readAll();
    }
    if (tokenWanted.value || !shown.value) return;
    const controller = new AbortController();
    void run(controller.signal, place);
    return () => {
      controller.abort();
      standing.value = { mode: 'connecting', since: Date.now(), reason: '' };
    };
  });
}

/** @param {AbortSignal} signal @param {import('./follow.js').Place} place */
async function run(signal, place) {
  let failures = 0;
  const reset = () => {
    readAll();
    readLists();
  };
  const stand = async (/** @type {Standing['mode']} */ mode) => {
    await meet(signal);
    if (!place.last) readAll(); // nobody tells what came while nobody followed
    failures = 0;
    if (standing.value.mode !== mode) standing.value = { mode, since: Date.now(), reason: '' };
    readLists();
  };
  const follower = new Follower({ change: (change) => listeners.forEach((l) => l.change(change)), reset, live: () => stand('live') }, place);
  const follow = () => follower.run(signal).catch(async (error) => {
    if (!(error instanceof Problem && error.code === 'too-many-followers')) throw error;
    readAll();
    await stand('full');
    await pause(readAgain, signal);
  });
  while (!signal.aborted) {
    const failure = await follow().catch((error) => error);
    if (!failure) continue;
    if (signal.aborted || (failure instanceof Problem && failure.status === 401)) return;
    if (standing.value.mode !== 'lost') {
      standing.value = { mode: 'lost', since: Date.now(), reason: failure?.message ?? '' };
    }
    await pause(waits[Math.min(failures++, waits.length - 1)], signal);
  }
}

/** @param {number} wait @param {AbortSignal} signal @returns {Promise<void>} */
function pause(wait, signal) {
  nextTry.value = Date.now() + wait;
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, wait);
    tryNow = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', tryNow, { once: true });
  });
}
