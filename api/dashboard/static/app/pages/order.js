/** One order: where it stands, how it came there, and what was said of it. */
import { html } from '../core/html.js';
import { href, orderHref, setQuery } from '../core/router.js';
import { Failure, Loading } from '../parts/notes.js';
import { Axes } from './order/axes.js';
import { Diagram } from './order/diagram.js';
import { Drawer } from './order/drawer.js';
import { Explanation } from './order/explanation.js';
import { Facts } from './order/facts.js';
import { Head } from './order/head.js';
import { useOrder } from './order/live.js';
import { Money } from './order/money.js';
import { Anomalies, Proofs } from './order/evidence.js';
import { Timeline } from './order/timeline.js';
import { Travel } from './order/travel.js';

/** @type {[string, string][]} */
const tabs = [['', 'Timeline'], ['explain', 'Why it is so'], ['json', 'JSON']];

/** @param {{route: import('../core/types.js').Route}} props */
export function OrderPage({ route }) {
  const [, source, key] = route.path;
  const { at = '', tab = '', webhook = '' } = route.query;
  const { order, entries, complete, then, error, again } = useOrder({ source, key }, at);
  const shown = at ? then : order;
  if (!source || !key) return html`<p class="note">An order has a source and a key: <a href=${href(['orders'])}>look for it</a>.</p>`;
  return html`
    <${Failure} error=${error} again=${again} />
    ${!order && !error && html`<${Loading} />`}
    ${order && html`
      <${Head} order=${order} />
      <${Travel} order=${order} then=${then} entries=${entries} at=${at} />
      ${shown && html`
        <div class="two">
          <section aria-label="Course"><h2>Course</h2><${Diagram} entries=${entries} at=${at} state=${shown.state} /></section>
          <section aria-label="Standing"><h2>Standing</h2><${Axes} order=${shown} /><${Facts} order=${shown} /></section>
        </div>
        <${Money} order=${shown} />
        <${Anomalies} order=${shown} />
        <${Proofs} order=${shown} />
      `}
      <nav class="tabs" aria-label="Views">
        ${tabs.map(([name, title]) => html`<a key=${title} href=${orderHref({ source, key }, { at, tab: name })} aria-current=${tab === name ? 'page' : undefined}>${title}</a>`)}
      </nav>
      ${tab === '' && html`<${Timeline} entries=${entries} complete=${complete} at=${at} />`}
      ${tab === 'explain' && html`<${Explanation} order=${order} />`}
      ${tab === 'json' && html`<pre class="code" tabindex="0" aria-label="The order in JSON">${JSON.stringify(shown, null, 2)}</pre>`}
      ${webhook && html`<${Drawer} key=${webhook} sequence=${webhook} close=${() => setQuery({ webhook: null })} />`}
    `}
  `;
}
