/** The time, for all that tells an age: one tick a second moves all of them. */
import { signal } from '@preact/signals';

/** Now, in milliseconds; a second is as fine as it gets. */
export const now = signal(Date.now());

setInterval(() => {
  if (document.visibilityState === 'visible') now.value = Date.now();
}, 1000);

document.addEventListener('visibilitychange', () => {
  now.value = Date.now();
});
