/** What a page says where it has nothing to show, or cannot. */
import { html } from '../core/html.js';
import { Command } from './copy.js';

/** Something went wrong. @param {{error: Error|null, again?: () => void}} props */
export function Failure({ error, again }) {
  if (!error) return null;
  const hint = /** @type {{hint?: string}} */ (error).hint;
  return html`<div class="note failure" role="alert">
    <p>${error.message} ${hint}</p>
    ${again && html`<button type="button" onClick=${again}>Try again</button>`}
  </div>`;
}

/** No order has come yet: how to have some. */
export const NoOrders = () => html`<section class="note empty">
  <h2>No orders yet</h2>
  <p>An order appears here as soon as its first webhook is stored. This sends one of Ordatic, signed as Ordatic would:</p>
  <${Command} text="ticketrail send --source ordatic testdata/webhooks/ordatic/order-accepted.json" />
  <p>And this shows a whole day's traffic of simulated shops, at an address of its own:</p>
  <${Command} text="ticketrail demo" />
  <p class="muted" role="status"><span class="pulse" aria-hidden="true"></span> Waiting for the first webhook…</p>
</section>`;

/** Orders there are, but none of these. @param {{clear: string}} props the address without filters */
export const NoMatches = ({ clear }) => html`<section class="note empty">
  <h2>No order matches</h2>
  <p><a href=${clear}>Clear the filters</a> to see all orders.</p>
</section>`;

/** The first answer is not there yet. */
export const Loading = () => html`<p class="note muted">Reading…</p>`;
