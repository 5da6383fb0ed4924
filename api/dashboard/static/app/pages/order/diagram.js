/** The states that an order can have, and the way that this one took through them. */
import { html } from '../../core/html.js';
import { stateName } from '../../core/states.js';
import { edges, exits, height, isEdge, nodes, open, pathBetween, wayOut, width } from './layout.js';
import { walk } from './walk.js';

/**
 * @param {{entries: import('../../core/types.js').TimelineEntry[], at: string, state: string}} props
 *   at: the way up to this moment; empty for all of it
 */
export function Diagram({ entries, at, state }) {
  const way = walk(entries, at);
  const steps = way.slice(1).map((to, i) => ({ from: way[i], to }));
  const description = 'The order went ' + (way.length > 1 ? 'from ' : 'no further than ') + way.map(stateName).join(' to ') + '.';
  return html`<div class="diagram" tabindex="0" role="region" aria-label="State diagram">
    <svg viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${description}>
      <rect class="group" ...${open} rx="12" />
      ${exits.map((name) => html`<g key=${name}><path class="edge" d=${wayOut(name).line} /><path class="tip" d=${wayOut(name).tip} /></g>`)}
      ${edges.map((edge) => html`<${Arrow} key=${edge.from + '>' + edge.to} edge=${edge} kind="" />`)}
      ${steps.map((step) => html`<${Arrow} key=${'walked ' + step.from + '>' + step.to} edge=${step} kind=${isEdge(step) ? 'walked' : 'walked jump'} />`)}
      ${Object.entries(nodes).map(([name, box]) => html`<g key=${name} class=${'node' + (way.includes(name) ? ' walked' : '') + (name === state ? ' here' : '')} data-state=${name}>
        <rect x=${box.x - box.w / 2} y=${box.y - 16} width=${box.w} height="32" rx="8" />
        <text x=${box.x} y=${box.y + 1}>${stateName(name)}</text>
      </g>`)}
      ${way.map((name, i) => html`<g key=${name} class="order">
        <circle cx=${nodes[name].x - nodes[name].w / 2} cy=${nodes[name].y - 16} r="8" /><text x=${nodes[name].x - nodes[name].w / 2} y=${nodes[name].y - 15.5}>${i + 1}</text>
      </g>`)}
    </svg>
  </div>
  <p class="muted">${way.map(stateName).join(' → ')}</p>`;
}

/** @param {{edge: {from: string, to: string}, kind: string}} props */
function Arrow({ edge, kind }) {
  const { line, tip } = pathBetween(edge.from, edge.to);
  return html`<g><path class=${'edge ' + kind} d=${line} /><path class=${'tip ' + kind} d=${tip} /></g>`;
}
