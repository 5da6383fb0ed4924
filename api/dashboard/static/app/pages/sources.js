/** The sources: where webhooks come from, what came of them in the last hour, and which secrets are in use. */
import { html } from '../core/html.js';
import { get, Problem } from '../core/api.js';
import { count } from '../core/format.js';
import { useAnswer, useEvery } from '../core/resource.js';
import { href } from '../core/router.js';
import { Command } from '../parts/copy.js';
import { Silent } from '../parts/marks.js';
import { Failure, Loading } from '../parts/notes.js';
import { When } from '../parts/when.js';
import { minutes } from './parts/minutes.js';
import { Rows } from './parts/rows.js';
import { Spark } from './parts/spark.js';

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
    ${stats && html`<${Rows} label="Sources" heads=${['Source', 'Last heard', 'Webhooks a minute', 'Provider', 'Currency', 'Orders', 'Late', 'Applied', 'Duplicate', 'Not about an order', 'Quarantined', 'Rejected']}
        rows=${sources.map((source) => row(source, stats, causes))} />
      <p class="muted">Applied to quarantined count the webhooks of the last hour, rejected the requests that were refused and are kept. Where each source's webhooks are posted to, <code>ticketrail serve</code> says when it starts.</p>
      <${Secrets} sources=${sources} />
      ${sources.length > 0 && html`<p>What can be sent to the first one, signed as its provider would, with <code>ticketrail trigger</code>:</p>
        <${Command} text=${`ticketrail trigger ${sources[0].provider} --list`} />`}`}
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
  const own = stats.webhooks_per_minute.filter((m) => m.source === name);
  const sum = (/** @type {'applied'|'duplicate'|'not_about_order'|'quarantined'} */ of) => count(own.reduce((all, m) => all + m[of], 0));
  const [, pace] = minutes(own);
  const to = (/** @type {string} */ page, /** @type {Record<string, unknown>} */ more, /** @type {number} */ n) => html`<a href=${href([page], { source: name, ...more })}>${count(n)}</a>`;
  return [
    html`<a href=${href(['orders'], { source: name })}>${name}</a>`,
    html`<${When} at=${last_heard_at} /> <${Silent} silent=${silent} />`,
    html`<${Spark} label=${`${count(pace.at(-2) ?? 0)} in the last whole minute, ${count(Math.max(...pace))} at most in the last hour`} values=${pace} /> ${count(pace.at(-2) ?? 0)}`,
    provider, currency ?? 'none', count(orders(stats.orders)), to('orders', { late: true }, orders(stats.late)),
    sum('applied'), sum('duplicate'), sum('not_about_order'), sum('quarantined'), causes ? to('quarantine', { kind: 'rejected' }, causes.filter((c) => c.source === name).reduce((all, c) => all + c.count, 0)) : 'not known here',
  ];
}

/** Which secrets are in use, so that an old one is taken away when it is not. @param {{sources: Source[]}} props */
function Secrets({ sources }) {
  const rows = sources.flatMap(({ name, secrets }) => secrets.map(({ fingerprint, last_matched_at }, i) => [
    name, String(i + 1), html`<code>${fingerprint}</code>`, last_matched_at ? html`<${When} at=${last_matched_at} />` : 'not since the start',
  ]));
  return rows.length > 0 && html`<section aria-label="Secrets in use"><h2>Secrets</h2>
    <${Rows} label="Secrets" heads=${['Source', 'Place in the configuration', 'Fingerprint', 'Last fitted']} rows=${rows} /></section>`;
}
