/** Goes anywhere by a few letters: pages, what the page can do, and orders. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { html } from '../core/html.js';
import { get } from '../core/api.js';
import { help, palette } from '../core/dialogs.js';
import { go, href, orderHref } from '../core/router.js';
import { nextTheme } from '../core/settings.js';
import { stateName } from '../core/states.js';
import { pages } from '../pages.js';
import { Dialog } from './dialog.js';

/** @typedef {{text: string, note: string, run: () => void}} Choice */

const maxOrders = 8;

/** @type {Choice[]} */
const fixed = [
  ...pages.filter((page) => page.listed).map((page) => ({ text: page.title, note: 'page', run: () => go(href([page.name])) })),
  { text: 'Wall screen', note: 'the board, large', run: () => go(href(['board'], { wall: 1 })) },
  { text: 'Orders with a problem', note: 'filter', run: () => go(href(['orders'], { problem: 'true' })) },
  { text: 'Change the theme', note: 'setting', run: nextTheme },
  { text: 'The API and its documents', note: 'help', run: () => location.assign('/docs') },
  { text: 'Keyboard shortcuts', note: 'help', run: () => (help.value = true) },
];

/** The dialog. */
export function Palette() {
  const typed = useSignal('');
  const found = useSignal(/** @type {Choice[]} */ ([]));
  const at = useSignal(0);
  const list = useRef(/** @type {HTMLElement|null} */ (null));
  useEffect(() => searchOrders(typed.value, found), [typed.value]);
  useEffect(() => list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }), [at.value]);

  const wanted = typed.value.toLowerCase();
  // What was found for fewer letters is narrowed at once, before it is looked for anew.
  const named = (/** @type {Choice} */ choice) => (choice.text + ' ' + choice.note).toLowerCase().includes(wanted);
  const choices = [...fixed.filter((choice) => choice.text.toLowerCase().includes(wanted)), ...found.value.filter(named)];
  const chosen = Math.min(at.value, choices.length - 1);
  const close = () => (palette.value = false);
  const run = (/** @type {Choice|undefined} */ choice) => {
    close();
    choice?.run();
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'ArrowDown') at.value = Math.min(chosen + 1, choices.length - 1);
    else if (event.key === 'ArrowUp') at.value = Math.max(chosen - 1, 0);
    else if (event.key === 'Enter') run(choices[chosen]);
    else return;
    event.preventDefault();
  };
  return html`<${Dialog} title="Find" kind="palette" close=${close}>
    <input type="text" role="combobox" aria-label="Find a page or an order" aria-expanded="true" aria-controls="choices" autofocus
      aria-activedescendant=${choices.length > 0 ? 'choice-' + chosen : undefined} placeholder="a page, an order key or a reference" maxlength="200"
      onInput=${(/** @type {any} */ e) => ((typed.value = e.target.value.trim()), (at.value = 0))} onKeyDown=${press} />
    <ul id="choices" role="listbox" aria-label="Choices" ref=${list}>
      ${choices.map((choice, i) => html`<li key=${choice.note + choice.text} id=${'choice-' + i} role="option" aria-selected=${i === chosen} onClick=${() => run(choice)}>
        <span>${choice.text}</span> <span class="muted">${choice.note}</span>
      </li>`)}
    </ul>
    ${choices.length === 0 && html`<p class="muted">Nothing is called that.</p>`}
  <//>`;
}

/**
 * Looks for orders once typing pauses.
 * @param {string} text
 * @param {import('@preact/signals').Signal<Choice[]>} found
 */
function searchOrders(text, found) {
  if (text.length < 2) {
    found.value = [];
    return;
  }
  const controller = new AbortController();
  const timer = setTimeout(() => {
    get('/v1/orders', { q: text, limit: maxOrders }, controller.signal).then(({ orders }) => {
      found.value = orders.map((/** @type {import('../core/types.js').Order} */ order) => ({
        text: order.reference ?? order.key,
        note: `${order.source}, ${stateName(order.state).toLowerCase()}, ${order.key}`,
        run: () => go(orderHref(order)),
      }));
    }, () => {});
  }, 150);
  return () => {
    clearTimeout(timer);
    controller.abort();
  };
}
