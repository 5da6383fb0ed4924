/** JSON that is easier to read, and says the same to the last digit. */

/** JSON indented; what is none as it is. Numbers keep their digits, since no value is read. @param {string} text */
export function indented(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  let depth = 0;
  return text.replace(/"(?:[^"\\]|\\.)*"|[{[]\s*[}\]]|[{}[\],:]|\s+/g, (token) => {
    if (token.trim() === '') return '';
    if (token === '{' || token === '[') return token + '\n' + '  '.repeat(++depth);
    if (token === '}' || token === ']') return '\n' + '  '.repeat(--depth) + token;
    if (token === ',') return ',\n' + '  '.repeat(depth);
    return token === ':' ? ': ' : token.startsWith('"') ? token : token.replace(/\s/g, '');
  });
}
