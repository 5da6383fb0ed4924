/** Decides about all entries of one cause: first what would come of it, then it is done. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { html } from '../../core/html.js';
import { post } from '../../core/api.js';
import { plural } from '../../core/format.js';
import { useAction } from '../../core/resource.js';
import { Dialog } from '../../parts/dialog.js';
import { Failure, Loading } from '../../parts/notes.js';

/**
 * @typedef {import('../../core/types.js').QuarantineCause} QuarantineCause
 * @typedef {import('../../core/types.js').Bulk} Bulk
 */

/** @param {{group: QuarantineCause, verb: 'retry'|'discard', close: () => void}} props */
export function Decide({ group, verb, close }) {
  const { kind, source, cause } = group;
  const reason = useSignal('');
  const ask = (/** @type {object} */ more) => decideAll(`/v1/quarantine/${verb}`, { kind, source, cause, reason: reason.value || (verb === 'discard' ? 'a preview' : undefined), ...more });
  const preview = useAction(() => ask({ plan: true }));
  const doing = useAction(() => ask({ until: preview.value?.until }));
  useEffect(() => void preview.run(undefined), []);
  const title = (verb === 'retry' ? 'Try again: ' : 'Discard: ') + cause;
  const needsReason = verb === 'discard' && reason.value.trim() === '';
  return html`<${Dialog} title=${title} close=${close}>
    <${Failure} error=${preview.error ?? doing.error} />
    ${preview.busy && html`<${Loading} />`}
    ${doing.value ? html`<p><strong>Done.</strong></p><${Outcome} bulk=${doing.value} /><button type="button" onClick=${close}>Close</button>`
    : preview.value && html`
      <p>This is what would come of it now:</p><${Outcome} bulk=${preview.value} />
      <label>Why, for the record <input type="text" maxlength="500" value=${reason.value} onInput=${(/** @type {any} */ e) => (reason.value = e.target.value)} /></label>
      <p class="line"><button type="button" disabled=${doing.busy || needsReason} onClick=${() => doing.run(undefined)}>${verb === 'retry' ? 'Try again' : 'Discard'}</button>
        <button type="button" class="quiet" onClick=${close}>Leave it</button></p>
      ${needsReason && html`<p class="muted">To discard needs a reason.</p>`}`}
  <//>`;
}

/** @param {{bulk: Bulk}} props */
const Outcome = ({ bulk }) => html`<ul>
    ${bulk.results.map((result) => html`<li key=${result.result}>${plural(result.count, 'entry', 'entries')}: ${result.result}</li>`)}
    ${bulk.results.length === 0 && html`<li>Nothing is left to decide about.</li>`}
  </ul>
  ${bulk.staying.map((stay) => html`<p key=${stay.result + stay.cause} class="muted">${plural(stay.count, 'entry stays', 'entries stay')}: ${stay.cause || stay.result}. ${stay.hint}</p>`)}`;

/**
 * Decides about as many as there are, an answer at a time, and gives the sum.
 * @param {string} path
 * @param {object} body
 * @returns {Promise<Bulk>}
 */
async function decideAll(path, body) {
  /** @type {Bulk} */
  let sum = await post(path, body);
  for (let cursor = sum.next_cursor; cursor; ) {
    const next = /** @type {Bulk} */ (await post(path, { ...body, until: undefined, cursor }));
    sum = { ...sum, entries: sum.entries + next.entries, results: merge(sum.results, next.results), staying: merge(sum.staying, next.staying) };
    cursor = next.next_cursor;
  }
  return sum;
}

/**
 * Adds the counts of what has the same name.
 * @template {{result: string, cause?: string, count: number}} C
 * @param {C[]} before
 * @param {C[]} more
 */
function merge(before, more) {
  const sums = new Map(before.map((c) => [c.result + ' ' + (c.cause ?? ''), c]));
  for (const c of more) {
    const name = c.result + ' ' + (c.cause ?? '');
    sums.set(name, { ...c, count: c.count + (sums.get(name)?.count ?? 0) });
  }
  return [...sums.values()];
}
