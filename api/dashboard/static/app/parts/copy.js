/** A button that copies a text, and says that it did. */
import { useSignal } from '@preact/signals';
import { html } from '../core/html.js';
import { announce } from '../core/announce.js';

/** @param {{text: string, label?: string}} props */
export function Copy({ text, label = 'Copy' }) {
  const copied = useSignal(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    copied.value = true;
    announce('Copied.');
    setTimeout(() => (copied.value = false), 2000);
  };
  return html`<button type="button" class="quiet" onClick=${copy}>${copied.value ? 'Copied' : label}</button>`;
}

/** A command to be run in a terminal. @param {{text: string}} props */
export const Command = ({ text }) => html`<p class="command"><code>${text}</code><${Copy} text=${text} label="Copy command" /></p>`;
