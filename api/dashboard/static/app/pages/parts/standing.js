/** Where the read model stands, in a few figures. */
import { html } from '../../core/html.js';
import { age, count } from '../../core/format.js';

/** @typedef {import('../../core/types.js').Projection} Projection */

/** @param {{projection: Projection}} props */
export function Standing({ projection: p }) {
  const behind = p.lag === null ? 'not known' : p.lag.webhooks === 0 ? 'none' : count(p.lag.webhooks);
  const waited = p.lag?.oldest_seconds ? `, the oldest for ${age(p.lag.oldest_seconds * 1000)}` : '';
  return html`
    <dl class="figures">
      <${Figure} name="Checkpoint" value=${count(p.checkpoint)} note=${p.stream ? `of ${count(p.stream.last)} in the stream` : 'the stream does not answer'} />
      <${Figure} name="Webhooks behind" value=${behind} note=${waited} />
      <${Figure} name="Webhooks a second" value=${p.webhooks_per_second === null ? '–' : p.webhooks_per_second.toFixed(1)} note="over the last 10 seconds" />
      <${Figure} name="Projector" value=${p.running === null ? 'elsewhere' : p.running ? (p.moving === false ? 'stands still' : 'runs') : 'stopped'} note=${'projection version ' + p.projection_version} />
    </dl>
    ${p.reason && html`<div class="note failure" role="alert"><p><strong>${p.reason}</strong> ${p.hint}</p></div>`}
  `;
}

/** What became of every webhook up to the checkpoint. @param {{projection: Projection}} props */
export const Arithmetic = ({ projection: { counts, checkpoint } }) => html`<p class="sum">
  applied ${count(counts.applied)} + duplicate ${count(counts.duplicate)} + not about an order ${count(counts.not_about_order)} + quarantined ${count(counts.quarantined)} ${'= '}${count(counts.sum)}${counts.sum === checkpoint ? ', which is the checkpoint.' : html`. <strong>The checkpoint is ${count(checkpoint)}.</strong>`}
</p>`;

/** @param {{name: string, value: string, note?: string}} props */
export const Figure = ({ name, value, note = '' }) => html`<div><dt>${name}</dt><dd><strong>${value}</strong> <span class="muted">${note}</span></dd></div>`;
