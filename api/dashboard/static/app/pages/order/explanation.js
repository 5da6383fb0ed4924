/** Why an order is as it is: each webhook with what it says and the rule that it met. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { html } from '../../core/html.js';
import { get, orderPath } from '../../core/api.js';
import { setQuery } from '../../core/router.js';
import { Effect, State } from '../../parts/marks.js';
import { Failure, Loading } from '../../parts/notes.js';
import { When } from '../../parts/when.js';

/**
 * @typedef {import('../../core/types.js').Order} Order
 * @typedef {import('../../core/types.js').ExplainedWebhook} ExplainedWebhook
 */

const pageSize = 20;

/** @param {{order: Order}} props */
export function Explanation({ order }) {
  const webhooks = useSignal(/** @type {ExplainedWebhook[]} */ ([]));
  const cursor = useSignal(/** @type {string|null} */ (''));
  const error = useSignal(/** @type {Error|null} */ (null));
  const read = async (/** @type {string} */ from) => {
    try {
      const page = await get(orderPath(order) + '/explanation', { limit: pageSize, cursor: from });
      webhooks.value = from ? [...webhooks.value, ...page.webhooks] : page.webhooks;
      cursor.value = page.next_cursor;
      error.value = null;
    } catch (failure) {
      error.value = /** @type {Error} */ (failure);
    }
  };
  useEffect(() => void read(''), [order.source, order.key, order.version]);
  return html`<section aria-label="Explanation">
    <${Failure} error=${error.value} again=${() => read(cursor.value ?? '')} />
    ${webhooks.value.length === 0 && !error.value && html`<${Loading} />`}
    <ol class="timeline">${webhooks.value.map((one) => html`<${Explained} key=${one.webhook.stream_sequence} one=${one} />`)}</ol>
    ${cursor.value && html`<button type="button" onClick=${() => read(cursor.value ?? '')}>Show more</button>`}
  </section>`;
}

/** @param {{one: ExplainedWebhook}} props */
const Explained = ({ one }) => html`<li data-effect=${one.effect}>
  <div class="line wrap"><strong>${one.said.event}</strong> <${Effect} effect=${one.effect} /> <span class="muted" aria-hidden="true">→</span> <${State} state=${one.standing.state} /></div>
  <p>${one.reason}</p>
  <p class="muted">It says: ${sayings(one)}.</p>
  <div class="line wrap muted">
    <span>received <${When} at=${one.webhook.received_at} /></span>
    <span>${one.verified ? 'checked: ' + one.verified : 'its sender was not checked'}</span>
    ${one.released && html`<span>released from the quarantine by ${one.released.by}</span>`}
    <button type="button" class="quiet" onClick=${() => setQuery({ webhook: one.webhook.stream_sequence }, {})}>Webhook ${one.webhook.stream_sequence}</button>
  </div>
</li>`;

/** What a webhook says, in a sentence. @param {ExplainedWebhook} one */
function sayings({ said }) {
  const axes = /** @type {const} */ (['fulfillment', 'delivery', 'payment', 'outcome', 'problem']).filter((axis) => said[axis]).map((axis) => `${axis} ${said[axis]}`);
  const facts = Object.entries(said.facts).filter(([, fact]) => fact !== null && typeof fact !== 'object').map(([name, fact]) => `${name.replaceAll('_', ' ')} ${fact}`);
  return [said.kind, ...axes, ...facts].join(', ');
}
