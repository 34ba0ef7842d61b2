import { pythonEnv } from './python-env.ts';
import { runProgram } from './run-program.ts';

/** Amazon's linter for templates of CloudFormation, which brings the schemas of all resources. */
export const cfnLintPins: readonly string[] = ['cfn-lint==1.58.0'];

/** What it finds in a template, warnings included, a line each; nothing where all is well. */
export async function cfnLint(file: string): Promise<readonly string[]> {
  const env = await pythonEnv(cfnLintPins);
  const args = ['--format', 'parseable', '--regions', 'eu-west-1', 'us-east-1', '--template', file];
  const { code, output } = await runProgram(env.bin('cfn-lint'), args, { withinMs: 120_000 });
  const lines = output.split('\n').filter((line) => line !== '');
  if (code !== 0 && lines.length === 0) throw new Error(`cfn-lint ended with ${code}.`);
  return lines;
}
