/** The axes of an order: how far kitchen, rider and money are, and how it ended. */
import { html } from '../../core/html.js';

/** The values of the axes that rise, in their order. @type {[string, string, string[]][]} */
const rising = [
  ['fulfillment', 'Kitchen', ['none', 'accepted', 'in-kitchen', 'ready', 'handed-over']],
  ['delivery', 'Rider', ['none', 'assigned', 'picking', 'delivering', 'delivered']],
];

/** @param {{order: import('../../core/types.js').Order}} props */
export function Axes({ order }) {
  return html`<dl class="axes">
    ${rising.map(([axis, label, values]) => html`<div key=${axis}><dt>${label}</dt><dd><${Steps} values=${values} value=${/** @type {any} */ (order)[axis]} /></dd></div>`)}
    <div><dt>Payment</dt><dd><strong>${order.payment}</strong></dd></div>
    <div><dt>Outcome</dt><dd><strong>${order.outcome}</strong></dd></div>
  </dl>`;
}

/** @param {{values: string[], value: string}} props */
function Steps({ values, value }) {
  const reached = values.indexOf(value);
  return html`<strong>${value}</strong>
    <span class="steps" aria-hidden="true">${values.slice(1).map((step, i) => html`<i key=${step} class=${i < reached ? 'done' : ''}></i>`)}</span>`;
}
