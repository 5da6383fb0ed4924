/** What happened to an order, webhook by webhook, the newest first. */
import { html } from '../../core/html.js';
import { setQuery } from '../../core/router.js';
import { Effect, State } from '../../parts/marks.js';
import { When } from '../../parts/when.js';
import { isBy } from './moment.js';

/** @typedef {import('../../core/types.js').TimelineEntry} TimelineEntry */

/**
 * @param {{entries: TimelineEntry[], complete: boolean, at: string}} props
 *   at: what came after this moment is paler, since it has not happened yet
 */
export const Timeline = ({ entries, complete, at }) => html`<section aria-label="Timeline">
  ${!complete && html`<p class="note slim">Only the first ${entries.length} entries are shown.</p>`}
  <ol class="timeline">
    ${entries.map((entry, i) => ({ entry, id: entry.stream_sequence + ':' + i })).reverse().map(({ entry, id }) => html`<${Entry} key=${id} entry=${entry} later=${!isBy(entry, at)} />`)}
  </ol>
</section>`;

/** @param {{entry: TimelineEntry, later: boolean}} props */
const Entry = ({ entry, later }) => html`<li class=${later ? 'later' : ''} data-effect=${entry.effect}>
  <div class="line wrap">
    <strong>${entry.event ?? entry.status}</strong> <${Effect} effect=${entry.effect} /> <span class="muted" aria-hidden="true">→</span> <${State} state=${entry.state} />
  </div>
  ${entry.note && html`<p>${entry.note}</p>`}
  <div class="line wrap muted">
    <span>received <${When} at=${entry.received_at} /></span>
    ${entry.occurred_at && html`<span>happened <${When} at=${entry.occurred_at} /></span>`}
    ${entry.status && entry.status !== entry.event && html`<span>status ${entry.status}</span>`}
    ${entry.webhook
      ? html`<button type="button" class="quiet" data-item=${entry.stream_sequence} onClick=${() => setQuery({ webhook: entry.stream_sequence }, {})}>Webhook ${entry.stream_sequence}</button>
          <button type="button" class="quiet" onClick=${() => setQuery({ at: entry.stream_sequence }, {})}>As it was then</button>`
      : html`<span>learnt from the history in webhook ${entry.stream_sequence}</span>`}
  </div>
</li>`;
