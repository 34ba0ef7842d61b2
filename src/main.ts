#!/usr/bin/env node
/*
 * The entry of daemon and command line alike. An older Node cannot even load the rest, so its
 * version is looked at before anything else is.
 */
const oldestNode = 24;
const node = Number(process.versions.node.split('.')[0]);

if (node < oldestNode) {
  process.stderr.write(
    `litellm-mlflow needs Node ${oldestNode} or later; this is Node ${process.versions.node}.\n`,
  );
  process.exitCode = 1;
} else {
  const { runProgram } = await import('./cli/program.ts');
  process.exitCode = await runProgram(process.argv.slice(2));
}

export {};
