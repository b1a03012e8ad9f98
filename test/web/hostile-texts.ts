/** What an attacker writes where the console shows words of others: names, command lines, hosts, users. */
export const HOSTILE: readonly { readonly name: string; readonly text: string }[] = [
  { name: 'a script element', text: '<script>globalThis.owned=1</script><img src=x onerror="globalThis.owned=1">' },
  {
    name: 'markup that closes ours',
    text: '"></a></bdi></li></main><iframe src="https://attacker.example/"></iframe>',
  },
  { name: 'an address that runs', text: 'javascript:globalThis.owned=1' },
  { name: 'an address of data', text: 'data:text/html,<script>globalThis.owned=1</script>' },
  { name: 'terminal escapes', text: '\u001b]0;owned\u0007\u001b[2J\u001b[31mred\u009b1m\u0000\r\n\tend' },
  { name: 'text that turns around', text: 'invoice\u202egpj.exe\u2066\u2067\u200f \u200bבית' },
  { name: 'ten thousand characters without a gap', text: 'x'.repeat(10_000) },
  { name: 'two thousand marks', text: '\u202e'.repeat(2_000) },
  { name: 'names of the prototype', text: '__proto__' },
  { name: 'half characters', text: '\ud800 \udfff $&$1 %00 {{7*7}} \u0024{7*7}' },
  { name: 'style', text: '</title><style>*{display:none}</style><base href="https://attacker.example/">' },
];
