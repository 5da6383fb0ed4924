/** The configured sources, for filters and commands. */
import { get } from '../core/api.js';
import { useAnswer } from '../core/resource.js';

/** Gives their names; none until they are known. @returns {string[]} */
export function useSources() {
  const { value } = useAnswer((signal) => get('/v1/sources', {}, signal), []);
  return (value?.sources ?? []).map((/** @type {{name: string}} */ source) => source.name);
}
