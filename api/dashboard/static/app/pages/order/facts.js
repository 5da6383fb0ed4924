/** The single facts of an order. What it does not have is left out. */
import { html } from '../../core/html.js';
import { money } from '../../core/format.js';
import { stateName } from '../../core/states.js';
import { When } from '../../parts/when.js';

/** @param {{order: import('../../core/types.js').Order}} props */
export function Facts({ order }) {
  /** @type {[string, unknown][]} */
  const facts = [
    ['Provider', order.provider],
    ['Its own status', order.provider_status],
    ['Expected next', order.expected_next.map(stateName).join(', ')],
    ['Store', order.store_id],
    ['Kind', order.fulfillment_kind],
    ['Total', money(order.total, order.currency)],
    ['Discount', money(order.discount, order.currency)],
    ['Refunded', money(order.refunded, order.currency)],
    ['Made', order.created_at && html`<${When} at=${order.created_at} />`],
    ['Completed', order.completed_at && html`<${When} at=${order.completed_at} />`],
    ['First webhook', html`<${When} at=${order.first_seen_at} />`],
    ['Last webhook', html`<${When} at=${order.last_seen_at} />`],
    ['Webhooks applied', order.version],
  ];
  return html`<dl class="facts">
    ${facts.filter(([, fact]) => fact).map(([name, fact]) => html`<div key=${name}><dt>${name}</dt><dd>${fact}</dd></div>`)}
  </dl>`;
}
