/** Markup in template literals. What it is given is text or elements, never markup. */
import { h } from 'preact';
import htm from 'htm';

export const html = htm.bind(h);
