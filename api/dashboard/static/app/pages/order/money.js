/** The payments, the refunds and the receipt of an order, where it has any. */
import { html } from '../../core/html.js';
import { money } from '../../core/format.js';
import { When } from '../../parts/when.js';

/** @param {{order: import('../../core/types.js').Order}} props */
export const Money = ({ order }) => html`
  ${order.payments.length > 0 && html`<section aria-label="Payments"><h2>Payments</h2>
    <${Rows} heads=${['Payment', 'Amount', 'Status', 'Kind', 'At']}
      rows=${order.payments.map((p) => [p.id, money(p.amount, order.currency), p.status, p.type, html`<${When} at=${p.at} />`])} />
  </section>`}
  ${order.refunds.length > 0 && html`<section aria-label="Refunds"><h2>Refunds</h2>
    <${Rows} heads=${['Refund', 'Amount', 'Status', 'Reason', 'At']}
      rows=${order.refunds.map((r) => [r.id, money(r.amount, r.currency), r.status, r.reason, html`<${When} at=${r.at} />`])} />
  </section>`}
  ${order.receipt && html`<section aria-label="Receipt"><h2>Receipt</h2>
    <${Rows} heads=${['Receipt', 'Total', 'Paid with', 'At']}
      rows=${[[order.receipt.id, money(order.receipt.total, order.currency), order.receipt.method, html`<${When} at=${order.receipt.paid_at} />`]]} />
  </section>`}
`;

/** @param {{heads: string[], rows: unknown[][]}} props */
export const Rows = ({ heads, rows }) => html`<div class="table" tabindex="0" role="region" aria-label=${heads[0] + 's'}><table>
  <thead><tr>${heads.map((head) => html`<th key=${head} scope="col">${head}</th>`)}</tr></thead>
  <tbody>${rows.map((row, i) => html`<tr key=${i}>${row.map((cell, j) => html`<td key=${j}>${cell}</td>`)}</tr>`)}</tbody>
</table></div>`;
