/** A dialog above the page, which Escape and its button close; the focus goes back then. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { html } from '../core/html.js';

/** @param {{title: string, close: () => void, kind?: string, children?: unknown}} props */
export function Dialog({ title, close, kind = '', children }) {
  const element = useRef(/** @type {HTMLDialogElement|null} */ (null));
  useLayoutEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => before instanceof HTMLElement && before.focus();
  }, []);
  const outside = (/** @type {MouseEvent} */ event) => event.target === element.current && close();
  return html`<dialog ref=${element} class=${kind} aria-label=${title} onClose=${close} onClick=${outside}>
    <div class="inside">
      <header><h2>${title}</h2><button type="button" class="quiet" onClick=${close} aria-label="Close">✕</button></header>
      ${children}
    </div>
  </dialog>`;
}
