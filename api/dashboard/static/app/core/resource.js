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
