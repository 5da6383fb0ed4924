/** The entries of one cause. */
import { html } from '../../core/html.js';
import { get } from '../../core/api.js';
import { size } from '../../core/format.js';
import { useAnswer } from '../../core/resource.js';
import { setQuery } from '../../core/router.js';
import { Failure } from '../../parts/notes.js';
import { Rows } from '../parts/rows.js';
import { When } from '../../parts/when.js';

/** @typedef {import('../../core/types.js').QuarantineEntry} QuarantineEntry */

/** So many are shown: whoever needs more has the command. */
const shown = 100;

/** @param {{kind?: string, source?: string, cause: string}} props */
export function Entries({ kind, source, cause }) {
  const answer = useAnswer((signal) => get('/v1/quarantine', { kind, source, cause, limit: shown }, signal), [kind, source, cause]);
  /** @type {QuarantineEntry[]} */
  const entries = answer.value?.entries ?? [];
  return html`<section aria-label="Entries"><h2>${cause}</h2>
    <${Failure} error=${answer.error} again=${answer.again} />
    <${Rows} label="Entries of the quarantine" heads=${['Entry', 'Received', 'Event', 'Where', 'Size']}
      rows=${entries.map((entry) => [
        html`<button type="button" class="quiet" data-item=${entry.id} onClick=${() => setQuery({ entry: entry.id }, {})}>${entry.id}</button>`,
        html`<${When} at=${entry.received_at} />`,
        entry.event,
        entry.where ?? 'the whole body',
        entry.size === null ? 'gone' : size(entry.size),
      ])} />
    ${answer.value?.next_cursor && html`<p class="muted">The first ${shown} are shown; <code>ticketrail quarantine list</code> gives all.</p>`}
  </section>`;
}
