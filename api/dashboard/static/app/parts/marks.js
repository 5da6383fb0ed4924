/** Small marks: a state, an effect, a problem, lateness. Each says in words what its colour says. */
import { html } from '../core/html.js';
import { now } from '../core/clock.js';
import { age } from '../core/format.js';
import { lateness, stateName } from '../core/states.js';

/** @param {{state: string}} props */
export const State = ({ state }) => html`<span class="state" data-state=${state}>${stateName(state)}</span>`;

/** What a webhook did. @param {{effect: string}} props */
export const Effect = ({ effect }) => html`<span class="effect" data-effect=${effect}>${effect}</span>`;

/** @param {{reason: string|null|undefined}} props */
export const Trouble = ({ reason }) => (reason ? html`<span class="mark trouble"><span aria-hidden="true">⚑</span> ${reason}</span>` : null);

/**
 * Tells of an order that takes too long, or soon will.
 * @param {{state: string, since: number, limit?: number|null}} props
 */
export function Lateness(props) {
  const { kind, by } = lateness(props, now.value);
  if (kind === 'late') return html`<span class="mark late"><span aria-hidden="true">▲</span> late by ${age(by)}</span>`;
  if (kind === 'soon') return html`<span class="mark soon"><span aria-hidden="true">◔</span> late soon</span>`;
  return null;
}
