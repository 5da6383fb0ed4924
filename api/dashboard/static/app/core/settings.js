/** What a user chose, remembered in this browser. It holds nothing of orders. */
import { effect, signal } from '@preact/signals';

/** system, light or dark. */
export const theme = signal(localStorage.getItem('theme') ?? 'system');

/** Whether a letter alone does something. */
export const singleKeys = signal(localStorage.getItem('single-keys') !== 'off');

effect(() => {
  const chosen = theme.value;
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  localStorage.setItem('theme', chosen);
});

effect(() => localStorage.setItem('single-keys', singleKeys.value ? 'on' : 'off'));

/** The next theme, for a button that goes round. */
export function nextTheme() {
  const all = ['system', 'light', 'dark'];
  theme.value = all[(all.indexOf(theme.value) + 1) % all.length];
}
