import { App } from 'aws-cdk-lib';
import { readParameters } from './parameters.ts';
import { makeStack } from './stack.ts';

const app = new App();
const read = readParameters(app.node.getAllContext());
if (read.kind === 'invalid') {
  process.stderr.write(
    `The context is wrong:\n${read.problems.map((one) => `  ${one}\n`).join('')}`,
  );
  process.exitCode = 78;
} else {
  makeStack(app, read.parameters);
  app.synth();
}
