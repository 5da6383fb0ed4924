/** The keys that do something. */
import { html } from '../core/html.js';
import { help } from '../core/dialogs.js';
import { singleKeys } from '../core/settings.js';
import { Dialog } from './dialog.js';

/** @type {[string[], string][]} */
const keys = [
  [['/'], 'search'],
  [['j'], 'next order'],
  [['k'], 'the one before'],
  [['h'], 'column to the left'],
  [['l'], 'column to the right'],
  [['Enter'], 'open'],
  [['p'], 'pause the board, or go on'],
  [['g', 'b'], 'board'],
  [['g', 'o'], 'orders'],
  [['g', 'r'], 'replay'],
  [['g', 'q'], 'quarantine'],
  [['g', 's'], 'system'],
  [['Ctrl', 'K'], 'find anything'],
  [['?'], 'this list'],
];

/** The list, and a way to switch the letters off for those whom they hinder. */
export function Help() {
  return html`<${Dialog} title="Keyboard" close=${() => (help.value = false)}>
    <dl class="keys">
      ${keys.map(([combination, meaning]) => html`<div key=${meaning}><dt>${combination.map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${meaning}</dd></div>`)}
    </dl>
    <label class="check"><input type="checkbox" checked=${singleKeys.value} onChange=${(/** @type {any} */ e) => (singleKeys.value = e.target.checked)} /> Single letters do something</label>
    <p><a href="/docs">The API and its documents</a></p>
  <//>`;
}
