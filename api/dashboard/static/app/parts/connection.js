/** How the page is connected: a word in the header, and a banner where it is not. */
import { html } from '../core/html.js';
import { now } from '../core/clock.js';
import { nextTry, readAgain, standing, tryNow } from '../core/feed.js';
import { age, time } from '../core/format.js';
import { replaced } from '../core/program.js';
import { tokenWanted } from '../core/session.js';

/** @type {Record<string, string>} */
const words = {
  connecting: 'Connecting',
  live: 'Live',
  full: `Reads again each ${readAgain / 1000} s`,
  lost: 'Not connected',
};

/** @type {Record<string, string>} */
const meanings = {
  live: 'Changes are shown as they happen.',
  full: 'Too many follow the changes: until there is room, all is read again and again.',
};

/** The standing in a word. */
export function Connection() {
  const { mode } = standing.value;
  return html`<span class="connection" data-mode=${mode} title=${meanings[mode] ?? ''} role="status">${words[mode]}</span>`;
}

/** Says that what is seen is old, since when, and when it is tried again. */
export function LostBanner() {
  const { mode, since, reason } = standing.value;
  if (mode !== 'lost' || tokenWanted.value) return null;
  const wait = Math.max(0, nextTry.value - now.value);
  return html`<div class="banner" role="alert">
    <p><strong>Connection lost</strong> at ${time(since)}. What you see is as of then. ${reason}</p>
    <p aria-live="off" class="muted">For ${age(now.value - since)}; next try ${wait > 0 ? 'in ' + age(wait) : 'now'}.
      <button type="button" onClick=${() => tryNow()}>Try now</button></p>
  </div>`;
}

/** Says that the program was replaced by another version, which brings a page of its own. */
export function ReplacedBanner() {
  if (!replaced.value) return null;
  return html`<div class="banner" role="alert">
    <p><strong>A new version is there.</strong> This page is still of the one before.</p>
    <button type="button" onClick=${() => location.reload()}>Reload</button>
  </div>`;
}
