/** A table of plain rows. */
import { html } from '../../core/html.js';

/** @param {{label: string, heads: string[], rows: unknown[][]}} props */
export const Rows = ({ label, heads, rows }) => html`<div class="table" tabindex="0" role="region" aria-label=${label}><table>
  <thead><tr>${heads.map((head) => html`<th key=${head} scope="col">${head}</th>`)}</tr></thead>
  <tbody>${rows.map((row, i) => html`<tr key=${i}>${row.map((cell, j) => html`<td key=${j}>${cell}</td>`)}</tr>`)}</tbody>
</table></div>`;
