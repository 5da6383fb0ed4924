/** Small marks: a state, an effect, a problem, lateness. Each says in words what its colour says. */
import { html } from '../core/html.js';
import { now } from '../core/clock.js';
import { age, plural, time } from '../core/format.js';
import { hoped, lateness, stateName } from '../core/states.js';

/** @param {{state: string}} props */
export const State = ({ state }) => html`<span class="state" data-state=${state}>${stateName(state)}</span>`;

/** What a webhook did. @param {{effect: string}} props */
export const Effect = ({ effect }) => html`<span class="effect" data-effect=${effect}>${effect}</span>`;

/** @param {{reason: string|null|undefined}} props */
export const Trouble = ({ reason }) => (reason ? html`<span class="mark trouble"><span aria-hidden="true">⚑</span> ${reason}</span>` : null);

/** Tells that nothing comes from a source although it should. @param {{silent: import('../core/types.js').Silence|null}} props */
export const Silent = ({ silent }) => (silent ? html`<span class="mark late"><span aria-hidden="true">▲</span> silent since ${time(silent.since)}: ${plural(silent.missed_orders, 'order')} missed</span>` : null);

/**
 * Tells of an order that takes too long, and what should have come; or that it soon will.
 * @param {{since: number, limit: number|null, expected: string[]}} props
 */
export function Lateness({ expected, ...standing }) {
  const { kind, by } = lateness(standing, now.value);
  const next = hoped(expected);
  if (kind === 'late') return html`<span class="mark late"><span aria-hidden="true">▲</span> late by ${age(by)}</span> ${next && html`<span class="expected muted">expected: ${next}</span>`}`;
  if (kind === 'soon') return html`<span class="mark soon"><span aria-hidden="true">◔</span> late soon</span>`;
  return null;
}
