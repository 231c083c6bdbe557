import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from './run-cli.js';

const PATH = join(import.meta.dirname, '../../docs/cli.md');
const COMMANDS = [
  'record',
  'reconstruct',
  'report',
  'explain',
  'import',
  'inspect',
  'export',
  'doctor',
];

/** docs/cli.md with every block of help replaced by what the program says today. */
async function withHelp(text: string): Promise<string> {
  const helps = await Promise.all(
    COMMANDS.map(async (command) => [command, (await runCli([command, '--help'])).stdout] as const),
  );
  return helps.reduce(
    (page, [command, help]) =>
      page.replace(
        new RegExp(`(## aftertrace ${command}\\n[\\s\\S]*?\`\`\`text\\n)[\\s\\S]*?(\`\`\`)`),
        (_, head: string, tail: string) => `${head}${help}${tail}`,
      ),
    text,
  );
}

test('docs/cli.md shows the help that the commands print (UPDATE_DOCS=1 rewrites it)', async () => {
  const text = readFileSync(PATH, 'utf8');
  const today = await withHelp(text);
  if (process.env.UPDATE_DOCS === '1') writeFileSync(PATH, today);
  for (const command of COMMANDS) expect(text).toContain(`## aftertrace ${command}\n`);
  expect(process.env.UPDATE_DOCS === '1' ? today : text).toBe(today);
});
