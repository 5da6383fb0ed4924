/** What a component has asked the API for: the answer, the failure, or neither yet. */
import { useSignal } from '@preact/signals';
import { useCallback, useEffect, useRef } from 'preact/hooks';

/**
 * Asks whenever what the question depends on changes, and when it is told to. The last
 * answer stays while the next one is asked for; one to an older question is dropped.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} ask
 * @param {unknown[]} on
 * @returns {{value: T|null, error: Error|null, again: () => void}}
 */
export function useAnswer(ask, on) {
  const state = useSignal(/** @type {{value: T|null, error: Error|null}} */ ({ value: null, error: null }));
  const controller = useRef(/** @type {AbortController|null} */ (null));
  const again = useCallback(() => {
    controller.current?.abort();
    const own = (controller.current = new AbortController());
    ask(own.signal).then(
      (value) => own.signal.aborted || (state.value = { value, error: null }),
      (error) => own.signal.aborted || (state.value = { value: state.peek().value, error }),
    );
  }, on);
  useEffect(() => {
    again();
    return () => controller.current?.abort();
  }, [again]);
  return { ...state.value, again };
}

/**
 * Asks again and again while the page is looked at.
 * @param {() => void} again
 * @param {number} every in milliseconds
 */
export function useEvery(again, every) {
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && again(), every);
    return () => clearInterval(timer);
  }, [again, every]);
}

/**
 * Something that is done when a button is pressed: whether it is under way, how it failed,
 * and what came of it.
 * @template T, A
 * @param {(argument: A) => Promise<T>} act
 */
export function useAction(act) {
  const state = useSignal(/** @type {{busy: boolean, error: Error|null, value: T|null}} */ ({ busy: false, error: null, value: null }));
  const run = async (/** @type {A} */ argument) => {
    state.value = { busy: true, error: null, value: null };
    try {
      state.value = { busy: false, error: null, value: await act(argument) };
    } catch (error) {
      state.value = { busy: false, error: /** @type {Error} */ (error), value: null };
    }
  };
  const clear = () => (state.value = { busy: false, error: null, value: null });
  return { ...state.value, run, clear };
}
