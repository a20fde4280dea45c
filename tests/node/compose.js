// Composes subgraphs into a supergraph, by Apollo's composer and by The Guild's; writes down the
// one that Apollo's makes.
//
//   node compose.js supergraph.graphql coalition=subgraph.graphql=http://127.0.0.1:8000/graphql ...

import { readFileSync, writeFileSync } from "node:fs";
import * as apollo from "@apollo/composition";
import * as guild from "@theguild/federation-composition";
import { parse } from "graphql";

const [output, ...given] = process.argv.slice(2);
const services = given.map((each) => {
  const [name, file, url] = each.split("=");
  return { name, url, typeDefs: parse(readFileSync(file, "utf8")) };
});

let failed = false;
for (const [name, composer] of Object.entries({ apollo, guild })) {
  const { errors, supergraphSdl } = composer.composeServices(services);
  for (const error of errors ?? []) {
    console.error(`${name}: ${error.extensions?.code ?? ""} ${error.message}`);
  }
  if (errors?.length || !supergraphSdl) {
    console.error(`${name} does not compose the subgraphs`);
    failed = true;
  } else {
    console.log(`${name} composes ${services.map((each) => each.name).join(" and ")}`);
    if (composer === apollo) writeFileSync(output, supergraphSdl);
  }
}
process.exit(failed ? 1 : 0);
