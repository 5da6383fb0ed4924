/** One column of the board. */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { html } from '../../core/html.js';
import { count } from '../../core/format.js';
import { endedStates, stateName } from '../../core/states.js';
import { Card } from './card.js';

/** So many cards are shown at first, and so many more each time: what a person can look at. */
const openStep = 40;

/** The same of orders that ended, which nobody needs to do anything about. */
const endedStep = 10;

/**
 * @param {{state: string, board: import('../../core/board.js').Board, lateAt?: number, total?: number, more: boolean}} props
 *   lateAt: only cards that are late then; total: how many orders there are in the state, where it is known; more: whether there
 *   are more than the board has
 */
export function Column({ state, board, lateAt, total, more }) {
  board.watch(state);
  const ended = endedStates.includes(state);
  const step = ended ? endedStep : openStep;
  const shown = useSignal(step);
  const list = useRef(/** @type {HTMLElement|null} */ (null));
  const cards = board.cards(state, lateAt);
  const known = ended ? Math.max(total ?? 0, cards.length) : cards.length;
  const size = count(known) + (more && total === undefined ? '+' : '');
  useFocusKept(list, cards);
  return html`<section class="column" data-column=${state} data-state=${state} aria-label=${stateName(state)}>
    <h2>${stateName(state)} <span class="count">${size}</span></h2>
    <ol ref=${list}>
      ${cards.slice(0, shown.value).map((card) => html`<${Card} key=${card.id} card=${card} />`)}
    </ol>
    ${cards.length === 0 && html`<p class="muted none">none</p>`}
    ${cards.length > shown.value && html`<button type="button" class="quiet more" onClick=${() => (shown.value += step)}>Show ${count(Math.min(step, cards.length - shown.value))} more of ${count(cards.length)}</button>`}
  </section>`;
}

/** The card that had the focus when its column was rendered last, wherever it is now. @type {{id: string|null}} */
const focused = { id: null };

/**
 * Keeps the focus on a card that moves to another column, where it is another element.
 * @param {{current: HTMLElement|null}} list
 * @param {import('../../core/board.js').Card[]} cards
 */
function useFocusKept(list, cards) {
  useEffect(() => {
    const note = (/** @type {FocusEvent} */ event) => {
      if (event.target instanceof HTMLElement) focused.id = event.target.dataset.item ?? null;
    };
    document.addEventListener('focusin', note);
    return () => document.removeEventListener('focusin', note);
  }, []);
  useLayoutEffect(() => {
    if (focused.id === null || document.activeElement !== document.body || !cards.some((card) => card.id === focused.id)) return;
    const moved = list.current?.querySelector(`[data-item="${CSS.escape(focused.id)}"]`);
    if (moved instanceof HTMLElement) moved.focus();
  });
}
