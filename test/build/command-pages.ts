/** What is made from the one table of commands and options, by the path where it stands. */
import { COMMANDS } from '../../enrich/cli/commands.ts';
import { bashCompletion, fishCompletion, zshCompletion } from './completions.ts';
import { manPage, type NamedSpec } from './man-page.ts';

const TABLE_BEGINS = '<!-- commands: npm run docs -->';
const TABLE_ENDS = '<!-- end of commands -->';

export const namedSpecs = (): Promise<NamedSpec[]> =>
  Promise.all(COMMANDS.map(async ({ name, summary, spec }) => ({ name, summary, spec: await spec() })));

/** @param readme README.md as it stands: of it only the table of commands is made */
export async function commandPages(readme: string): Promise<ReadonlyMap<string, string>> {
  const specs = await namedSpecs();
  const [from, to] = [readme.indexOf(TABLE_BEGINS), readme.indexOf(TABLE_ENDS)];
  if (from < 0 || to < from) throw new Error(`README.md has no place for the table of commands: ${TABLE_BEGINS}`);
  const table = specs.map(({ name, spec }) => `| \`waybill ${name}\` | ${spec.summary.replaceAll('|', '\\|')} |`);
  const head = '| command | does |\n|---|---|\n';
  return new Map([
    ['README.md', `${readme.slice(0, from)}${TABLE_BEGINS}\n${head}${table.join('\n')}\n${readme.slice(to)}`],
    ['enrich/cli/man/waybill.1', manPage(specs)],
    ['enrich/cli/completions/waybill.bash', bashCompletion(specs)],
    ['enrich/cli/completions/_waybill', zshCompletion(specs)],
    ['enrich/cli/completions/waybill.fish', fishCompletion(specs)],
  ]);
}
