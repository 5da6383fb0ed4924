/** The board on a wall: nothing to press but the way out, and a screen that stays awake. */
import { useEffect } from 'preact/hooks';
import { html } from '../../core/html.js';
import { now } from '../../core/clock.js';
import { time } from '../../core/format.js';
import { setQuery } from '../../core/router.js';
import { Connection } from '../../parts/connection.js';

/** The one line above the columns. */
export function WallBar() {
  useEffect(stayAwake, []);
  return html`<div class="bar wall-bar">
    <strong>ticketrail</strong> <${Connection} /> <time class="wall-clock">${time(now.value)}</time>
    <button type="button" class="quiet" onClick=${() => document.documentElement.requestFullscreen()}>Full screen</button>
    <button type="button" class="quiet" onClick=${() => setQuery({ wall: '' }, {})}>Leave wall screen</button>
  </div>`;
}

/** Asks the machine not to dim the screen; the browser takes that back when the page is hidden. */
function stayAwake() {
  let ended = false;
  /** @type {WakeLockSentinel|undefined} */
  let lock;
  const ask = async () => {
    if (document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
    lock = await navigator.wakeLock.request('screen').catch(() => undefined); // as where the battery is low
    if (ended) void lock?.release();
  };
  void ask();
  document.addEventListener('visibilitychange', ask);
  return () => {
    ended = true;
    document.removeEventListener('visibilitychange', ask);
    void lock?.release();
  };
}
