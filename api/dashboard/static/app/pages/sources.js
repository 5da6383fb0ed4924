/** The sources: where webhooks come from, and what came of them in the last hour. */
import { html } from '../core/html.js';
import { get, Problem } from '../core/api.js';
import { count } from '../core/format.js';
import { useAnswer, useEvery } from '../core/resource.js';
import { href } from '../core/router.js';
import { Command } from '../parts/copy.js';
import { Silent } from '../parts/marks.js';
import { Failure, Loading } from '../parts/notes.js';
import { When } from '../parts/when.js';
import { Rows } from './parts/rows.js';

/**
 * @typedef {import('../core/types.js').Source} Source
 * @typedef {import('../core/types.js').Stats} Stats
 * @typedef {import('../core/types.js').QuarantineCause} QuarantineCause
 */

/** How often it is counted anew, in milliseconds. */
const look = 5000;

/** The page. */
export function SourcesPage() {
  const answer = useAnswer(async (signal) => {
    const asked = [get('/v1/sources', {}, signal), get('/v1/stats', { minutes: 60 }, signal), get('/v1/quarantine/causes', { kind: 'rejected' }, signal).catch(elsewhere)];
    const [{ sources }, stats, { causes }] = await Promise.all(asked);
    return { sources: /** @type {Source[]} */ (sources), stats: /** @type {Stats} */ (stats), causes: /** @type {QuarantineCause[]|null} */ (causes) };
  }, []);
  useEvery(answer.again, look);
  const { sources = [], stats, causes = null } = answer.value ?? {};
  return html`
    <h1>Sources</h1>
    <${Failure} error=${answer.error} again=${answer.again} />
    ${!answer.value && !answer.error && html`<${Loading} />`}
    ${stats && html`<${Rows} label="Sources" heads=${['Source', 'Last heard', 'Provider', 'Currency', 'Orders', 'Late', 'Rejected', 'Applied', 'Duplicate', 'Not about an order', 'Quarantined']}
        rows=${sources.map((source) => row(source, stats, causes))} />
      <p class="muted">Rejected are the requests that are kept, for a week; the last four count the webhooks of the last hour. Where each source's webhooks are posted to, <code>ticketrail serve</code> says when it starts.</p>
      ${sources.length > 0 && html`<p>This sends a webhook to the first one, signed as its provider would:</p>
        <${Command} text=${`ticketrail send --source ${sources[0].name} testdata/webhooks/${sources[0].provider}/*.json`} />`}`}
  `;
}

/** The quarantine may be another process's: then nobody tells here. @param {Error} error */
function elsewhere(error) {
  if (error instanceof Problem && error.code === 'quarantine-elsewhere') return { causes: null };
  throw error;
}

/** @param {Source} source @param {Stats} stats @param {QuarantineCause[]|null} causes */
function row({ name, provider, currency, last_heard_at, silent }, stats, causes) {
  const orders = (/** @type {{source: string, orders: number}[]} */ counts) => counts.filter((c) => c.source === name).reduce((all, c) => all + c.orders, 0);
  const minutes = stats.webhooks_per_minute.filter((m) => m.source === name);
  const sum = (/** @type {'applied'|'duplicate'|'not_about_order'|'quarantined'} */ of) => count(minutes.reduce((all, m) => all + m[of], 0));
  const late = html`<a href=${href(['orders'], { source: name, late: true })}>${count(orders(stats.late))}</a>`;
  const rejected = causes && html`<a href=${href(['quarantine'])}>${count(causes.filter((c) => c.source === name).reduce((all, c) => all + c.count, 0))}</a>`;
  const heard = html`<${When} at=${last_heard_at} /> <${Silent} silent=${silent} />`;
  return [html`<a href=${href(['orders'], { source: name })}>${name}</a>`, heard, provider, currency ?? 'none', count(orders(stats.orders)), late, rejected ?? 'not known here', sum('applied'), sum('duplicate'), sum('not_about_order'), sum('quarantined')];
}
