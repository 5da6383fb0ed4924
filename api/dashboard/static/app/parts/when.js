/** Times as people read them, each with the whole of it at hand. */
import { html } from '../core/html.js';
import { now } from '../core/clock.js';
import { age, fullTime, time } from '../core/format.js';

/** A time. @param {{at: string|null|undefined}} props */
export function When({ at }) {
  return at ? html`<time dateTime=${at} title=${fullTime(at)}>${time(at)}</time>` : html`<span class="muted">–</span>`;
}

/** How long ago, moving with the clock. @param {{since: number|string}} props */
export function Age({ since }) {
  const from = typeof since === 'number' ? since : Date.parse(since);
  return html`<time dateTime=${new Date(from).toISOString()} title=${fullTime(from)}>${age(now.value - from)}</time>`;
}
