/** One rebuild: how it goes, or how it ended, and what it found. */
import { html } from '../../core/html.js';
import { post } from '../../core/api.js';
import { age, count, plural } from '../../core/format.js';
import { orderHref } from '../../core/router.js';
import { useAction } from '../../core/resource.js';
import { Failure } from '../../parts/notes.js';
import { Rows } from '../parts/rows.js';
import { When } from '../../parts/when.js';

/** @typedef {import('../../core/types.js').Rebuild} Rebuild */

/** What the states of a rebuild mean. @type {Record<string, string>} */
const meanings = {
  building: 'reads the stream',
  comparing: 'compares every row',
  switching: 'comes into use',
  switched: 'came into use',
  equal: 'found no difference',
  differs: 'differs, and was not put into use',
  kept: 'is kept as a snapshot',
  canceled: 'was canceled',
  failed: 'failed',
};

/** @param {{run: Rebuild, again: () => void}} props */
export function Run({ run, again }) {
  const cancel = useAction(async () => {
    await post(`/v1/rebuilds/${run.id}/cancel`);
    again();
  });
  const goesOn = run.ended_at === null;
  return html`<li class="note run" data-run=${run.state}>
    <div class="line wrap">
      <strong>${run.until ? 'Snapshot' : run.plan ? 'Comparison' : 'Rebuild'} ${run.id}</strong> <span>${meanings[run.state] ?? run.state}</span>
      <span class="muted">begun <${When} at=${run.started_at} />${!goesOn && html`, ended <${When} at=${run.ended_at} />`}</span>
      ${goesOn && html`<button type="button" disabled=${cancel.busy} onClick=${() => cancel.run(undefined)}>Cancel</button>`}
    </div>
    <div class="line wrap">
      <progress max="1" value=${run.progress} aria-label=${`Progress of ${run.id}`}></progress>
      <span class="muted">${count(run.stream_sequence)} of ${count(run.target)}, ${count(Math.round(run.rate_per_second))} webhooks a second${run.eta_seconds ? ', ' + age(run.eta_seconds * 1000) + ' to go' : ''}</span>
    </div>
    <${Failure} error=${cancel.error} />
    ${run.error && html`<p><strong>${run.error}</strong> ${run.hint}</p>`}
    ${run.started_over && html`<p>Begun anew at a start: ${run.started_over}.</p>`}
    ${run.difference && html`<${Found} difference=${run.difference} />`}
    ${run.uncompared && html`<p>The two could not be compared row by row.</p>`}
  </li>`;
}

/** @param {{difference: NonNullable<Rebuild['difference']>}} props */
function Found({ difference }) {
  if (difference.equal) return html`<p class="muted">Every row is the same, at stream sequence ${count(difference.stream_sequence)}.</p>`;
  const { missing, added, changed } = difference.orders;
  return html`<details open>
    <summary>${plural(missing + added + changed, 'order')} differ</summary>
    <${Rows} label="Tables" heads=${['Table', 'In use', 'Rebuilt', 'Missing', 'Added', 'Changed']}
      rows=${difference.tables.map((t) => [t.table, count(t.in_use), count(t.rebuilt), count(t.missing), count(t.added), count(t.changed)])} />
    <${Rows} label="Examples" heads=${['Order', 'Place', 'In use', 'Rebuilt']}
      rows=${difference.examples.flatMap((order) => order.fields.map((field) => [html`<a href=${orderHref(order)}>${order.key}</a>`, field.pointer, field.redacted ? 'withheld' : field.in_use ?? '–', field.redacted ? 'withheld' : field.rebuilt ?? '–']))} />
  </details>`;
}
