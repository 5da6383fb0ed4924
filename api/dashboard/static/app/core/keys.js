/**
 * The keyboard: letters that do something, alone or after g, and moving among the items
 * of a page. An item is an element with data-item; a column one with data-column.
 */
import { go, href } from './router.js';
import { singleKeys } from './settings.js';
import { palette, help } from './dialogs.js';

/** Where g and a letter lead to. @type {Record<string, string>} */
export const places = { b: 'board', o: 'orders', r: 'replay', q: 'quarantine', s: 'system' };

/** How long the letter after g may take, in milliseconds. */
const patience = 1500;

let leaderAt = 0;

/** Begins to listen to the keyboard. */
export function startKeys() {
  addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      palette.value = true;
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !singleKeys.value || isTyping(event.target)) return;
    if (press(event.key)) event.preventDefault();
  });
}

/** @param {string} key @returns {boolean} whether it meant anything */
function press(key) {
  const led = Date.now() - leaderAt < patience;
  leaderAt = 0;
  if (led && places[key]) {
    go(href([places[key]]));
    return true;
  }
  switch (key) {
    case 'g':
      leaderAt = Date.now();
      return true;
    case '/':
      return focusSearch();
    case '?':
      help.value = true;
      return true;
    case 'j':
      return move(1);
    case 'k':
      return move(-1);
    case 'l':
      return moveColumn(1);
    case 'h':
      return moveColumn(-1);
    case 'p':
      return click('[data-key="p"]');
  }
  return false;
}

/** @param {EventTarget|null} target */
function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest('dialog[open]') !== null);
}

function focusSearch() {
  const field = document.querySelector('[data-search]');
  if (field instanceof HTMLInputElement) {
    field.focus();
    field.select();
  } else {
    palette.value = true;
  }
  return true;
}

/** @param {string} selector */
function click(selector) {
  const button = document.querySelector(selector);
  if (button instanceof HTMLElement) button.click();
  return button !== null;
}

/** @param {ParentNode} within @returns {HTMLElement[]} */
const items = (within) => [...within.querySelectorAll('[data-item]')].filter((e) => e instanceof HTMLElement);

/** @param {number} by */
function move(by) {
  const current = document.activeElement?.closest('[data-item]');
  const all = items(current?.closest('[data-column]') ?? document);
  const at = all.findIndex((item) => item === current);
  focusOn(all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)]);
  return all.length > 0;
}

/** @param {number} by */
function moveColumn(by) {
  const columns = [...document.querySelectorAll('[data-column]')].filter((column) => items(column).length > 0);
  const current = document.activeElement?.closest('[data-column]');
  const at = columns.findIndex((column) => column === current);
  const to = columns[at < 0 ? 0 : Math.min(Math.max(at + by, 0), columns.length - 1)];
  if (to) focusOn(items(to)[0]);
  return columns.length > 0;
}

/** @param {HTMLElement|undefined} item */
function focusOn(item) {
  item?.focus();
  item?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}
