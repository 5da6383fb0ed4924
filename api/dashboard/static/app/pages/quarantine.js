/** The quarantine: what was set aside, by cause, and trying it again. */
import { useSignal } from '@preact/signals';
import { html } from '../core/html.js';
import { get } from '../core/api.js';
import { count, plural } from '../core/format.js';
import { useAnswer, useEvery } from '../core/resource.js';
import { href, setQuery } from '../core/router.js';
import { Failure, Loading } from '../parts/notes.js';
import { When } from '../parts/when.js';
import { Decide } from './quarantine/decide.js';
import { Entries } from './quarantine/entries.js';
import { Detail } from './quarantine/detail.js';

/**
 * @typedef {import('../core/types.js').QuarantineCause} QuarantineCause
 * @typedef {{group: QuarantineCause, verb: 'retry'|'discard'}} Decision
 */

/** How often it is counted anew, in milliseconds. */
const look = 5000;

/** What the two kinds are. @type {Record<string, string>} */
export const kinds = { rejected: 'request that was rejected', untranslatable: 'webhook that could not be read' };

/** @param {{route: import('../core/types.js').Route}} props */
export function QuarantinePage({ route }) {
  const { kind, source, cause, entry } = route.query;
  const answer = useAnswer((signal) => get('/v1/quarantine/causes', {}, signal), []);
  useEvery(answer.again, look);
  const decision = useSignal(/** @type {Decision|null} */ (null));
  /** @type {QuarantineCause[]} */
  const all = answer.value?.causes ?? [];
  const causes = cause ? all : all.filter((group) => (!source || group.source === source) && (!kind || group.kind === kind));
  return html`
    <h1>Quarantine</h1>
    <${Failure} error=${answer.error} again=${answer.again} />
    ${!answer.value && !answer.error && html`<${Loading} />`}
    ${all.length > causes.length && html`<p>${count(all.length - causes.length)} more causes are <a href=${href(['quarantine'])}>those of the others</a>.</p>`}
    ${answer.value && all.length === 0 && html`<section class="note empty"><h2>Nothing is set aside</h2>
      <p>Requests whose sender could not be verified, and webhooks that could not be read, would be here with their cause and what can be done.</p></section>`}
    <ol class="plain runs">
      ${causes.map((group) => html`<${Group} key=${group.kind + group.source + group.cause} group=${group} decide=${(/** @type {Decision['verb']} */ verb) => (decision.value = { group, verb })} />`)}
    </ol>
    ${cause && html`<${Entries} kind=${kind} source=${source} cause=${cause} />`}
    ${decision.value && html`<${Decide} ...${decision.value} close=${() => ((decision.value = null), answer.again())} />`}
    ${entry && html`<${Detail} key=${entry} id=${entry} close=${() => setQuery({ entry: null })} />`}
  `;
}

/** @param {{group: QuarantineCause, decide: (verb: Decision['verb']) => void}} props */
const Group = ({ group, decide }) => html`<li class="note run">
  <div class="line wrap">
    <strong>${group.cause}</strong> <span class="muted">${group.source}</span> <span>${plural(group.count, kinds[group.kind], kinds[group.kind].replace(/^(\w+)/, '$1s').replace(' was ', ' were '))}</span>
    <span class="muted">first <${When} at=${group.first} />, last <${When} at=${group.last} /></span>
  </div>
  <p>${group.hint}</p>
  <p class="line wrap">
    <a href=${href(['quarantine'], { kind: group.kind, source: group.source, cause: group.cause })} data-item=${group.cause}>Look at ${group.count === 1 ? 'it' : 'all ' + count(group.count)}</a>
    <button type="button" onClick=${() => decide('retry')}>Try again…</button>
    <button type="button" onClick=${() => decide('discard')}>Discard…</button>
  </p>
</li>`;
