/** What an order is called, and where it stands, in one line. */
import { html } from '../../core/html.js';
import { money } from '../../core/format.js';
import { href } from '../../core/router.js';
import { limitOf } from '../../core/program.js';
import { Copy } from '../../parts/copy.js';
import { Lateness, State, Trouble } from '../../parts/marks.js';
import { Age } from '../../parts/when.js';

/** @param {{order: import('../../core/types.js').Order}} props */
export function Head({ order }) {
  return html`<header class="head">
    <p class="crumbs"><a href=${href(['orders'])}>Orders</a> / <a href=${href(['orders'], { source: order.source })}>${order.source}</a>${order.store_id && html` / <a href=${href(['orders'], { source: order.source, store: order.store_id })}>${order.store_id}</a>`}</p>
    <h1>${order.reference ?? order.key}</h1>
    <p class="line wrap">
      <${State} state=${order.state} /> <span class="muted">for <${Age} since=${order.state_since} /></span>
      <${Trouble} reason=${order.problem?.reason} />
      <${Lateness} since=${Date.parse(order.state_since)} limit=${limitOf(order)} expected=${order.expected_next} />
      <strong class="total">${money(order.total, order.currency)}</strong>
    </p>
    ${order.description && html`<p>${order.description}</p>`}
    <p class="line wrap"><code>${order.key}</code> <${Copy} text=${order.key} label="Copy key" /> <${Copy} text=${location.href} label="Copy link" /></p>
    ${order.erased_at && html`<p class="note slim">What is personal of this order was erased. It takes no more webhooks.</p>`}
    ${order.redacted && html`<p class="note slim">What is personal of this order is withheld: the token lacks the scope raw.</p>`}
  </header>`;
}
