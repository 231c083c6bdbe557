/** Text that would do harm if any renderer took it for more than text. */
export const HOSTILE = [
  '/<script>window.hacked=1</script>',
  '/"><img src=x onerror="window.hacked=1">',
  "/'); DROP TABLE spans;--",
  '/</script><script>window.hacked=1</script>',
  '/<!--<script>',
  '/$&$`$1\u2028\u2029',
  '/\u202Egnp.exe\u0000\u001b[31m',
  '/[click](javascript:window.hacked=1)',
  '/`code` | cell | **bold** <b>',
  '/```\n# heading\n---',
  '/&lt;&amp;&#x3c;',
  `/${'A'.repeat(5000)}`,
] as const;
