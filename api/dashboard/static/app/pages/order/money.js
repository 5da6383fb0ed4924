/** The payments, the refunds and the receipt of an order, where it has any. */
import { html } from '../../core/html.js';
import { money } from '../../core/format.js';
import { Rows } from '../parts/rows.js';
import { When } from '../../parts/when.js';

/** @param {{order: import('../../core/types.js').Order}} props */
export const Money = ({ order }) => html`
  ${order.payments.length > 0 && html`<section><h2>Payments</h2>
    <${Rows} label="Payments" heads=${['Payment', 'Amount', 'Status', 'Kind', 'At']}
      rows=${order.payments.map((p) => [p.id, money(p.amount, order.currency), p.status, p.type, html`<${When} at=${p.at} />`])} />
  </section>`}
  ${order.refunds.length > 0 && html`<section><h2>Refunds</h2>
    <${Rows} label="Refunds" heads=${['Refund', 'Amount', 'Status', 'Reason', 'At']}
      rows=${order.refunds.map((r) => [r.id, money(r.amount, r.currency), r.status, r.reason, html`<${When} at=${r.at} />`])} />
  </section>`}
  ${order.receipt && html`<section><h2>Receipt</h2>
    <${Rows} label="Receipt" heads=${['Receipt', 'Total', 'Paid with', 'At']}
      rows=${[[order.receipt.id, money(order.receipt.total, order.currency), order.receipt.method, html`<${When} at=${order.receipt.paid_at} />`]]} />
  </section>`}
`;
