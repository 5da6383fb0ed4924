/** Goes back in the life of an order, and tells what was different then. */
import { html } from '../../core/html.js';
import { go, href, route, setQuery } from '../../core/router.js';
import { When } from '../../parts/when.js';
import { differences } from './differences.js';
import { isBy } from './moment.js';

/** @typedef {import('../../core/types.js').Order} Order */

/**
 * @param {{order: Order, then: Order|null, entries: import('../../core/types.js').TimelineEntry[], at: string}} props
 */
export function Travel({ order, then, entries, at }) {
  const sequences = [...new Set(entries.map((entry) => entry.stream_sequence))];
  if (sequences.length < 2) return null;
  const place = new Set(entries.filter((entry) => isBy(entry, at)).map((entry) => entry.stream_sequence)).size - 1;
  const to = (/** @type {number} */ i) => setQuery({ at: i >= sequences.length - 1 ? null : sequences[i] });
  const entry = entries.find((one) => one.stream_sequence === sequences[place]);
  return html`<section class="travel" aria-label="Time travel">
    <div class="line wrap">
      <label for="travel">As of webhook</label>
      <button type="button" class="quiet" disabled=${place <= 0} onClick=${() => to(place - 1)} aria-label="One webhook earlier">◀</button>
      <input id="travel" type="range" min="0" max=${sequences.length - 1} value=${Math.max(place, 0)} aria-valuetext=${'webhook ' + sequences[place]} onInput=${(/** @type {any} */ e) => to(Number(e.target.value))} />
      <button type="button" class="quiet" disabled=${place >= sequences.length - 1} onClick=${() => to(place + 1)} aria-label="One webhook later">▶</button>
      <span class="muted">${place + 1} of ${sequences.length}${entry && html`, <${When} at=${entry.received_at} />`}</span>
    </div>
    ${at && html`<div class="note slim">
      <p><strong>You see the order as it was ${/^\d+$/.test(at) ? 'after webhook' : 'at'} ${at}.</strong> <button type="button" onClick=${() => go(href(route.value.path, { ...route.value.query, at: null }))}>Back to now</button></p>
      ${then && html`<${Differences} then=${then} order=${order} />`}
    </div>`}
  </section>`;
}

/** @param {{then: Order, order: Order}} props */
function Differences({ then, order }) {
  const found = differences(then, order);
  if (found.length === 0) return html`<p>Nothing that counts has changed since.</p>`;
  return html`<table class="differences"><caption>What is different now</caption>
    <thead><tr><th scope="col">Field</th><th scope="col">Then</th><th scope="col">Now</th></tr></thead>
    <tbody>${found.map(({ name, then: was, now }) => html`<tr key=${name}><th scope="row">${name}</th><td>${was}</td><td>${now}</td></tr>`)}</tbody>
  </table>`;
}
