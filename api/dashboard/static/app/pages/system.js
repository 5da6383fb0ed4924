/** How ticketrail itself is: the projector, the stream, the pace, and the time in each state. */
import { html } from '../core/html.js';
import { get } from '../core/api.js';
import { age, count } from '../core/format.js';
import { useAnswer, useEvery } from '../core/resource.js';
import { href } from '../core/router.js';
import { stateName } from '../core/states.js';
import { Silent } from '../parts/marks.js';
import { Failure, Loading } from '../parts/notes.js';
import { Chart } from './parts/chart.js';
import { back, minutes } from './parts/minutes.js';
import { Rows } from './parts/rows.js';
import { Arithmetic, Figure, Standing } from './parts/standing.js';
import { When } from '../parts/when.js';

/**
 * @typedef {import('../core/types.js').Source} Source
 * @typedef {import('../core/types.js').Stats} Stats
 * @typedef {import('../core/types.js').Stay} Stay
 * @typedef {import('../core/types.js').Projection} Projection
 */

/** How often it is asked anew, in milliseconds. */
const look = 2000;

/** The page. */
export function SystemPage() {
  const answer = useAnswer(async (signal) => {
    const asked = [get('/v1/projection', {}, signal), get('/v1/stats', { minutes: back }, signal), get('/v1/stats/time-in-state', {}, signal), get('/v1/sources', {}, signal)];
    const [projection, stats, { stays }, { sources }] = await Promise.all(asked);
    return { projection: /** @type {Projection} */ (projection), stats: /** @type {Stats} */ (stats), stays: /** @type {Stay[]} */ (stays), sources: /** @type {Source[]} */ (sources) };
  }, []);
  useEvery(answer.again, look);
  const { projection, stats, stays, sources } = answer.value ?? {};
  return html`
    <h1>System</h1>
    <${Failure} error=${answer.error} again=${answer.again} />
    ${!answer.value && !answer.error && html`<${Loading} />`}
    ${projection && stats && stays && sources && html`
      ${sources.filter((source) => source.silent).map((source) => html`<p key=${source.name} class="note slim"><a href=${href(['sources'])}>${source.name}</a> <${Silent} silent=${source.silent} /></p>`)}
      <${Standing} projection=${projection} />
      <${Arithmetic} projection=${projection} />
      <section aria-label="Pace"><h2>Webhooks a minute, of the last hour</h2><${Chart} label="Webhooks a minute" data=${minutes(stats.webhooks_per_minute)} /></section>
      <section aria-label="Time in state"><h2>Time in each state, of those who left it in the last day</h2><${Stays} stays=${stays} /></section>
      <section aria-label="Stream and program"><h2>Stream and program</h2>
        <dl class="figures">
          ${projection.stream && html`<${Figure} name="Stream" value=${projection.stream.name} note=${`stream sequences ${count(projection.stream.first)} to ${count(projection.stream.last)}`} />
            <div><dt>Created</dt><dd><strong><${When} at=${projection.stream.created_at} /></strong></dd></div>`}
          <${Figure} name="ticketrail" value=${projection.program_version ?? 'unknown'} note="answers" />
        </dl>
      </section>
      <p><a href="/docs">The API and its documents</a>; more is at <a href="/metrics">/metrics</a>, <a href="/readyz">/readyz</a> and <a href="/openapi.json">/openapi.json</a>; <code>ticketrail doctor</code> checks the machine.</p>`}
  `;
}

/** @param {{stays: Stay[]}} props */
function Stays({ stays }) {
  if (stays.length === 0) return html`<p class="muted">No order has left a state in that time.</p>`;
  const seconds = (/** @type {number} */ n) => (n < 1 ? 'under 1 s' : age(n * 1000));
  return html`<${Rows} label="Time in each state" heads=${['Source', 'State', 'Orders', 'Half took up to (p50)', 'Nine of ten (p90)', 'Ninety-nine of a hundred (p99)']}
    rows=${stays.map((t) => [t.source, stateName(t.state), count(t.orders), seconds(t.p50_seconds), seconds(t.p90_seconds), seconds(t.p99_seconds)])} />`;
}
