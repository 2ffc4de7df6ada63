// Reads a JSON array of custom resources from standard input, checks each against the schema of its
// operator, prints what is wrong, and exits with the number of those that are.
import { readFileSync } from "node:fs";

const PACKAGES = {
  "keda.sh": "keda",
  "monitoring.coreos.com": "prometheus-operator",
  "postgresql.cnpg.io": "cloudnative-pg",
};

let wrong = 0;
for (const resource of JSON.parse(readFileSync(0, "utf-8"))) {
  const [group, version] = resource.apiVersion.split("/");
  const name = `${resource.kind}/${resource.metadata.name}`;
  try {
    const path = `@kubernetes-models/${PACKAGES[group]}/${group}/${version}/${resource.kind}`;
    const { [resource.kind]: Model } = await import(path);
    new Model(resource).validate();
    console.log(`${name} passed`);
  } catch (error) {
    wrong += 1;
    console.log(`${name}: ${error.message}`);
  }
}
process.exit(Math.min(wrong, 100));
