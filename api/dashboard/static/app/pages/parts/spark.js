/** A line in a table's cell: how something went, without a scale. */
import { html } from '../../core/html.js';

const width = 120;
const height = 24;

/** @param {{label: string, values: number[]}} props */
export function Spark({ label, values }) {
  const most = Math.max(1, ...values);
  const at = (/** @type {number} */ value, /** @type {number} */ i) => `${((i * width) / (values.length - 1)).toFixed(1)},${(height - 1 - (value * (height - 2)) / most).toFixed(1)}`;
  return html`<svg class="spark" role="img" aria-label=${label} viewBox="0 0 ${width} ${height}" width=${width} height=${height}><polyline points=${values.map(at).join(' ')} /></svg>`;
}
