/** A chart of one series over time, drawn by uPlot in the colours of the theme. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { html } from '../../core/html.js';
import { count } from '../../core/format.js';
import { theme } from '../../core/settings.js';

const height = 180;

/** @param {{label: string, data: [number[], number[]]}} props times in seconds, and values */
export function Chart({ label, data }) {
  const place = useRef(/** @type {HTMLElement|null} */ (null));
  const chart = useRef(/** @type {uPlot|null} */ (null));
  useEffect(() => {
    const element = /** @type {HTMLElement} */ (place.current);
    const draw = () => {
      chart.current?.destroy();
      chart.current = new uPlot(options(label, element), chart.current?.data ?? data, element);
    };
    draw();
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    const resized = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      dark.removeEventListener('change', draw);
      resized.disconnect();
      chart.current?.destroy();
    };
  }, [theme.value, label]);
  useEffect(() => chart.current?.setData(data), [data]);
  const most = Math.max(...data[1]);
  return html`<div class="chart" ref=${place} role="img" aria-label=${`${label}: ${count(data[1].at(-1) ?? 0)} at last, ${count(most)} at most.`}></div>`;
}

/** @param {string} label @param {HTMLElement} element @returns {uPlot.Options} */
function options(label, element) {
  const style = getComputedStyle(element);
  const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
  const axis = { stroke: style.getPropertyValue('color'), grid: { stroke: style.borderTopColor, width: 1 }, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, __, max) => [0, Math.max(max * 1.1, 5)] } },
    axes: [{ ...axis, values: (_, seconds) => seconds.map((at) => clock.format(at * 1000)) }, { ...axis, size: 44 }],
    series: [{}, { label, stroke: style.outlineColor, fill: style.outlineColor.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.13)'), width: 2, points: { show: false } }],
  };
}
