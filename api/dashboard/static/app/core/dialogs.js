/** Which dialog is open: set by the keyboard and by buttons, shown by the shell. */
import { signal } from '@preact/signals';

export const palette = signal(false);
export const help = signal(false);
